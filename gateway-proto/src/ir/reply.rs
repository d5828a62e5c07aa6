//! How an answer ended, and what it cost.

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model was done, or a stop text came.
    Stop,
    /// `max_tokens` or the context is used up.
    Length,
    /// The model wants its tools called.
    ToolCalls,
    /// A filter cut it.
    ContentFilter,
    /// The engine gave the request up.
    Abort,
    /// The engine failed.
    Error,
    /// Another word.
    Other(String),
}

/// Tokens used. Names are OpenAI's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: u64,
    /// Tokens generated.
    pub completion_tokens: u64,
    /// Of the prompt's tokens, those found in the cache; `None` when the engine does not say.
    pub cached_tokens: Option<u64>,
    /// Of the tokens generated, those of reasoning; `None` where nobody counted.
    pub reasoning_tokens: Option<u64>,
}

impl Usage {
    /// Prompt and completion together.
    #[must_use]
    pub fn total_tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }
}
