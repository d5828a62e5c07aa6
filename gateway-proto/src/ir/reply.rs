//! Replies and streams.

use super::{Fields, Message};
use crate::error::ApiError;

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The answer's id.
    pub id: String,
    /// Unix seconds.
    pub created: u64,
    /// The model that answered.
    pub model: String,
    /// The answers, one for each `n` and prompt.
    pub choices: Vec<Choice>,
    /// What it cost.
    pub usage: Option<Usage>,
    /// The members of `usage` that [`Usage`] does not have.
    pub usage_extra: Fields,
    /// The prompt in token ids, where asked for (chat).
    pub prompt_token_ids: Option<Vec<u32>>,
    /// Everything else.
    pub extra: Fields,
}

/// One answer of several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// Its number.
    pub index: u32,
    /// What was said; completions have text only.
    pub message: Message,
    /// Why it ended.
    pub finish: Option<Finish>,
    /// The answer in token ids, where asked for.
    pub token_ids: Option<Vec<u32>>,
    /// The prompt in token ids, where asked for (completions).
    pub prompt_token_ids: Option<Vec<u32>>,
    /// Everything else, `logprobs` and `stop_reason` among it.
    pub extra: Fields,
}

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

/// One event of an answer's stream.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// A piece of the answer.
    Chunk(Box<Chunk>),
    /// The engine failed; `[DONE]` may follow all the same.
    Error(Box<ApiError>),
    /// The end.
    Done,
}

/// A piece of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunk {
    /// The answer's id, the same in each chunk.
    pub id: String,
    /// Unix seconds.
    pub created: u64,
    /// The model that answers.
    pub model: String,
    /// Pieces of the choices; empty in the usage chunk.
    pub choices: Vec<ChunkChoice>,
    /// What it cost: in the last chunk, or so far.
    pub usage: Option<Usage>,
    /// The members of `usage` that [`Usage`] does not have.
    pub usage_extra: Fields,
    /// The prompt in token ids, in the first chunk where asked for (chat).
    pub prompt_token_ids: Option<Vec<u32>>,
    /// Everything else.
    pub extra: Fields,
}

/// A piece of one choice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChunkChoice {
    /// The choice's number.
    pub index: u32,
    /// What is new.
    pub delta: Delta,
    /// Why the choice ends, in its last piece.
    pub finish: Option<Finish>,
    /// The new tokens' ids, where asked for.
    pub token_ids: Option<Vec<u32>>,
    /// The prompt in token ids, in the first piece where asked for (completions).
    pub prompt_token_ids: Option<Vec<u32>>,
    /// Everything else.
    pub extra: Fields,
}

/// What is new in a piece.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    /// The speaker, in the first piece.
    pub role: Option<String>,
    /// New text.
    pub text: Option<String>,
    /// New reasoning.
    pub reasoning: Option<String>,
    /// New pieces of tool calls.
    pub tool_calls: Vec<ToolCallDelta>,
    /// Everything else.
    pub extra: Fields,
}

/// A piece of a tool call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolCallDelta {
    /// Which call of the choice.
    pub index: u32,
    /// Its id, in the first piece.
    pub id: Option<String>,
    /// The function, in the first piece.
    pub name: Option<String>,
    /// More of the arguments' text.
    pub arguments: Option<String>,
    /// Everything else.
    pub extra: Fields,
}
