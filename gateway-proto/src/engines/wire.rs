//! The wires, and how a call is put on them.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::{TokenCall, Unsupported, completions, llamacpp, mindie, sglang, trtllm, vllm};
use crate::ir::Format;

/// A route of an engine that takes token ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenWire {
    /// vLLM's `POST /inference/v1/generate`. Off unless the server runs with `--enable-scale-out`; it then answers 403
    /// (vLLM 0.32).
    VllmGenerate,
    /// vLLM's `POST /v1/completions` with `return_token_ids` (0.10.2 and later).
    VllmCompletions,
    /// The same of any engine that honours `return_token_ids`; of structured output only `response_format` is known.
    OpenAiCompletions,
    /// SGLang's `POST /generate` with `input_ids` (0.5.23).
    SglangGenerate,
    /// MindIE-LLM's `POST /infer_token`.
    MindieInferToken,
    /// TensorRT-LLM's `POST /v1/completions` with `detokenize` off.
    TrtllmCompletions,
    /// The `POST /completion` of llama.cpp's server.
    LlamacppCompletion,
}

impl TokenWire {
    /// All wires.
    pub const ALL: [Self; 7] = [
        Self::VllmGenerate,
        Self::VllmCompletions,
        Self::OpenAiCompletions,
        Self::SglangGenerate,
        Self::MindieInferToken,
        Self::TrtllmCompletions,
        Self::LlamacppCompletion,
    ];

    /// The route's path.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::VllmGenerate => "/inference/v1/generate",
            Self::VllmCompletions | Self::OpenAiCompletions | Self::TrtllmCompletions => {
                "/v1/completions"
            }
            Self::SglangGenerate => "/generate",
            Self::MindieInferToken => "/infer_token",
            Self::LlamacppCompletion => "/completion",
        }
    }

    /// The request body: a stream is asked for, text is left out where the wire allows it.
    ///
    /// # Errors
    /// Where the wire has no word for something that `call` asks for.
    pub fn encode(self, call: &TokenCall) -> Result<Bytes, Unsupported> {
        if let Some(later) = &call.later_format {
            self.encode(&going_on(call, later))?;
        }
        match self {
            Self::VllmGenerate => Ok(write(call, &vllm::Body::of(call))),
            Self::VllmCompletions => Ok(write(call, &completions::Body::of(call)?)),
            Self::OpenAiCompletions => Ok(write(call, &completions::Body::portable(call)?)),
            Self::SglangGenerate => Ok(write(call, &sglang::Body::of(call)?)),
            Self::MindieInferToken => Ok(write(call, &mindie::Body::of(call)?)),
            Self::TrtllmCompletions => Ok(write(call, &trtllm::Body::of(call)?)),
            Self::LlamacppCompletion => Ok(write(call, &llamacpp::Body::of(call)?)),
        }
    }

    /// Whether choices end at their stop tokens in the reader, because the engine cannot be told them.
    pub(super) fn stops_here(self) -> bool {
        matches!(self, Self::MindieInferToken | Self::LlamacppCompletion)
    }

    /// Whether the answer comes in one piece: a stream of llama.cpp tells no ids while a character is incomplete, and
    /// never makes up for them.
    pub(super) fn is_whole(self) -> bool {
        self == Self::LlamacppCompletion
    }

    /// Whether the last event is the last one by what it says, with no mark behind it.
    pub(super) fn ends_unmarked(self) -> bool {
        self == Self::MindieInferToken
    }
}

/// The call that is going to ask for `later`, without the prompt, which is of no account here.
fn going_on(call: &TokenCall, later: &Format) -> TokenCall {
    let mut next = TokenCall::new(Arc::clone(&call.model), [0], 1);
    next.sampling = call.sampling.clone();
    next.format = later.clone();
    next
}

/// JSON of a body, most of which is the prompt: an id takes six digits and a comma.
fn write(call: &TokenCall, body: &impl Serialize) -> Bytes {
    let mut out = Vec::with_capacity(512 + 7 * call.prompt.len());
    serde_json::to_writer(&mut out, body).expect("plain structs always serialise into memory");
    out.into()
}
