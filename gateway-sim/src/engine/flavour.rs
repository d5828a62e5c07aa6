//! The engines whose surfaces a simulated one can have.

use serde::{Deserialize, Serialize};

/// Whose HTTP surface an engine has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavour {
    /// vLLM's.
    #[default]
    Vllm,
    /// `SGLang`'s.
    Sglang,
    /// MindIE-LLM's, with its business, management and metrics ports in one where no management port is set.
    Mindie,
    /// That of `trtllm-serve`.
    Trtllm,
    /// llama.cpp's server's.
    Llamacpp,
    /// That of Hugging Face's Text Generation Inference: no token ids in.
    Tgi,
}

/// How an engine writes refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorShape {
    /// `{"error": {message, type, param, code}}`.
    Nested,
    /// `{"object": "error", message, type, param, code}`.
    Flat,
    /// `{"error", "error_type"}`.
    Pair,
    /// `{"error": {code, message, type}}` with llama.cpp's words.
    Coded,
}

impl Flavour {
    /// The owner that the models list names.
    pub(super) const fn owner(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::Mindie => "mindie",
            Self::Trtllm => "tensorrt_llm",
            Self::Llamacpp => "llamacpp",
            Self::Tgi => "tgi",
        }
    }

    /// The release that `/version` names, where there is such a route.
    pub(super) const fn version(self) -> &'static str {
        match self {
            Self::Trtllm => "1.2.0",
            _ => "0.32.0",
        }
    }

    /// What the header `server` says.
    pub(super) const fn server(self) -> &'static str {
        match self {
            Self::Llamacpp => "llama.cpp",
            _ => "uvicorn",
        }
    }

    /// The member of a message that has its reasoning.
    pub(super) const fn reasoning_field(self) -> &'static str {
        match self {
            Self::Vllm => "reasoning",
            _ => "reasoning_content",
        }
    }

    pub(super) const fn errors(self) -> ErrorShape {
        match self {
            Self::Vllm => ErrorShape::Nested,
            Self::Sglang | Self::Trtllm => ErrorShape::Flat,
            Self::Mindie | Self::Tgi => ErrorShape::Pair,
            Self::Llamacpp => ErrorShape::Coded,
        }
    }

    /// Whether it answers for models that it does not have.
    pub(super) const fn serves_any_model(self) -> bool {
        matches!(self, Self::Llamacpp | Self::Tgi)
    }
}
