//! What is asked of an engine.

use std::sync::Arc;

use super::Wishes;
use crate::ir::{Format, LogprobsAsked, Sampling};

/// A request for token ids that continue token ids, free of any engine's wire.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenCall {
    /// The model, by the name the engine serves it under.
    pub model: Arc<str>,
    /// Whether `model` is a LoRA adapter. A router knows this of its fleet and sets it.
    pub is_adapter: bool,
    /// The prompt, never empty.
    pub prompt: Arc<[u32]>,
    /// The most tokens to generate per choice; engines' own defaults differ too much to leave it open.
    pub max_tokens: u64,
    /// Everything else about sampling; [`Sampling::max_tokens`] is not looked at.
    pub sampling: Sampling,
    /// Log probabilities wanted.
    pub logprobs: Option<LogprobsAsked>,
    /// The form that decoding is held to: the caller's own, or the grammar of its tools.
    pub format: Format,
    /// The form that a call which goes on with this one is going to ask for. It goes nowhere; an engine that cannot hold to
    /// it refuses the call at once.
    pub later_format: Option<Format>,
    /// What only some engines can do.
    pub wishes: Wishes,
    /// Prompts with different salts share no cache.
    pub cache_salt: Option<String>,
    /// In the engine's own sense.
    pub priority: Option<i64>,
    /// The engine's name for the request. Two requests at one engine must not share it.
    pub request_id: Option<String>,
}

impl TokenCall {
    /// A call that leaves everything but the length to the engine.
    #[must_use]
    pub fn new(model: impl Into<Arc<str>>, prompt: impl Into<Arc<[u32]>>, max_tokens: u64) -> Self {
        Self {
            model: model.into(),
            is_adapter: false,
            prompt: prompt.into(),
            max_tokens,
            sampling: Sampling::default(),
            logprobs: None,
            format: Format::Text,
            later_format: None,
            wishes: Wishes::default(),
            cache_salt: None,
            priority: None,
            request_id: None,
        }
    }

    /// How many choices are asked for, at least one.
    #[must_use]
    pub fn choices(&self) -> u32 {
        self.sampling.n.unwrap_or(1).max(1)
    }
}
