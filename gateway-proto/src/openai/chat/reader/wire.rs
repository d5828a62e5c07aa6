//! The form of a chunk, as far as it is read.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::ir::{StopCause, TokenLogprob, Usage};

#[derive(Deserialize)]
pub(super) struct Chunk<'a> {
    pub(super) choices: Option<Vec<Piece>>,
    pub(super) usage: Option<WireUsage>,
    error: Option<IgnoredAny>,
    #[serde(borrow)]
    object: Option<std::borrow::Cow<'a, str>>,
}

impl Chunk<'_> {
    pub(super) fn is_error(&self) -> bool {
        self.error.is_some() || self.object.as_deref() == Some("error")
    }
}

#[derive(Deserialize)]
pub(super) struct Piece {
    #[serde(default)]
    pub(super) index: u32,
    pub(super) delta: Option<Delta>,
    pub(super) logprobs: Option<Logprobs>,
    pub(super) token_ids: Option<Vec<u32>>,
    pub(super) finish_reason: Option<String>,
    pub(super) stop_reason: Option<Value>,
    pub(super) matched_stop: Option<Value>,
    pub(super) violation: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Delta {
    pub(super) content: Option<String>,
    pub(super) reasoning: Option<String>,
    pub(super) reasoning_content: Option<String>,
    pub(super) refusal: Option<String>,
    pub(super) tool_calls: Option<Vec<CallPiece>>,
}

#[derive(Deserialize)]
pub(super) struct CallPiece {
    pub(super) index: Option<u32>,
    pub(super) id: Option<String>,
    pub(super) function: Option<FunctionPiece>,
}

#[derive(Deserialize)]
pub(super) struct FunctionPiece {
    pub(super) name: Option<String>,
    pub(super) arguments: Option<String>,
}

/// Log probabilities in chat's form; others are not read.
#[derive(Deserialize)]
pub(in crate::openai::chat) struct Logprobs {
    content: Option<Vec<Token>>,
}

impl Logprobs {
    pub(in crate::openai::chat) fn into_tokens(self) -> Vec<TokenLogprob> {
        let tokens = self.content.unwrap_or_default();
        tokens.into_iter().map(TokenLogprob::from).collect()
    }
}

#[derive(Deserialize)]
struct Token {
    token: String,
    logprob: Option<f64>,
    bytes: Option<Vec<u8>>,
    top_logprobs: Option<Vec<Token>>,
}

impl From<Token> for TokenLogprob {
    fn from(token: Token) -> Self {
        let top = token.top_logprobs.unwrap_or_default();
        Self {
            bytes: token
                .bytes
                .unwrap_or_else(|| token.token.clone().into_bytes()),
            token: token.token,
            id: None,
            logprob: token.logprob.unwrap_or_default(),
            top: top.into_iter().map(Self::from).collect(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WireUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// SGLang counts here.
    reasoning_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl From<WireUsage> for Usage {
    fn from(wire: WireUsage) -> Self {
        let details = wire.completion_tokens_details;
        Self {
            prompt_tokens: wire.prompt_tokens.unwrap_or_default(),
            completion_tokens: wire.completion_tokens.unwrap_or_default(),
            cached_tokens: wire
                .prompt_tokens_details
                .and_then(|details| details.cached_tokens),
            reasoning_tokens: details
                .and_then(|details| details.reasoning_tokens)
                .or(wire.reasoning_tokens.filter(|count| *count > 0)),
        }
    }
}

/// What ended a choice, in vLLM's `stop_reason` or SGLang's `matched_stop`.
pub(in crate::openai::chat) fn stop_cause(value: &Value) -> Option<StopCause> {
    match value {
        Value::String(text) => Some(StopCause::Text(text.clone())),
        Value::Number(id) => {
            let id = id.as_u64().and_then(|id| u32::try_from(id).ok());
            id.map(StopCause::Token)
        }
        _ => None,
    }
}
