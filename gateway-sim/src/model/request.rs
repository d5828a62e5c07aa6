//! What is asked of the model.

use std::sync::Arc;

/// The name of a request, unique among those that are not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A prompt and the answer it will get.
///
/// The model decides *when* tokens come out. *Which* tokens is settled beforehand, so that the blocks of an answer have
/// hashes too and the next turn of a conversation can reuse them.
#[derive(Clone, Debug)]
pub struct Request {
    /// The name to find its tokens by.
    pub id: RequestId,
    /// The prompt's tokens.
    pub prompt: Arc<[u32]>,
    /// The answer's tokens, at least one.
    pub output: Arc<[u32]>,
    /// Keeps the cache entries apart of those who must not share them (cache salt, LoRA adapter); 0 for the common one.
    /// The chain of block hashes starts here, see [`gateway_core::hash::seed`].
    pub namespace: u64,
}

impl Request {
    /// A request in the common cache namespace.
    #[must_use]
    pub fn new(
        id: RequestId,
        prompt: impl Into<Arc<[u32]>>,
        output: impl Into<Arc<[u32]>>,
    ) -> Self {
        Self {
            id,
            prompt: prompt.into(),
            output: output.into(),
            namespace: 0,
        }
    }

    /// The token at that place of prompt and answer together.
    pub(super) fn token(&self, at: usize) -> u32 {
        match at.checked_sub(self.prompt.len()) {
            None => self.prompt[at],
            Some(place) => self.output[place],
        }
    }
}

/// Why the model does not take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The prompt has no tokens.
    #[error("the prompt is empty")]
    EmptyPrompt,
    /// The answer has no tokens.
    #[error("the answer is empty")]
    EmptyOutput,
    /// Prompt and answer together pass the engine's limit.
    #[error("prompt and answer have {tokens} tokens, the engine takes {limit}")]
    TooLong {
        /// Tokens of prompt and answer.
        tokens: usize,
        /// The engine's limit.
        limit: u32,
    },
    /// A request of this name is not finished.
    #[error("request {} is already in the engine", .0.0)]
    Duplicate(RequestId),
}
