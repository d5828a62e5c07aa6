//! Answers as they come.

use std::sync::Arc;

use super::{Fields, Finish, ToolCall, Usage};
use crate::error::ApiError;

/// What is known of an answer before its first piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The request's id, free of any dialect's prefix.
    pub id: String,
    /// Unix seconds.
    pub created: u64,
    /// The model's name as the caller gave it.
    pub model: String,
    /// Tokens of the prompt, where known beforehand.
    pub prompt_tokens: Option<u64>,
}

/// One event of an answer. Events of one choice are in the order in which the model wrote.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Something new of one choice.
    Step {
        /// The choice's number.
        choice: u32,
        /// What is new.
        step: Step,
    },
    /// What it cost so far; the last one counts.
    Usage(Usage),
    /// The answer broke; nothing follows.
    Failed(Box<ApiError>),
}

/// A step of one choice. Text, reasoning and calls are never empty and may come in any number of pieces; a call's
/// arguments belong to the call that began last.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// More text for the reader.
    Text(String),
    /// More reasoning.
    Reasoning(String),
    /// A signature over the reasoning just ended (Anthropic).
    Signature(String),
    /// A tool call begins.
    CallStart {
        /// Names the call in the tool's answer; unique in the answer.
        id: String,
        /// The function.
        name: String,
    },
    /// More of the call's arguments, as JSON text.
    CallArguments(String),
    /// The call is complete.
    CallEnd,
    /// Log probabilities of tokens whose text has come or is about to.
    Logprobs(Vec<TokenLogprob>),
    /// New token ids, where the caller asked for them.
    TokenIds(Vec<u32>),
    /// The prompt in token ids, where the caller asked for ids; the first step of its choice.
    PromptTokenIds(Arc<[u32]>),
    /// The choice is over.
    Finished {
        /// Why.
        finish: Finish,
        /// The stop text or token that ended it.
        stop: Option<StopCause>,
        /// A note on what the answer lacks, as a broken schema.
        violation: Option<String>,
    },
}

/// What ended a choice early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// A stop text.
    Text(String),
    /// A stop token.
    Token(u32),
}

/// A token with its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenLogprob {
    /// Its text.
    pub token: String,
    /// Its bytes, which may be part of a character.
    pub bytes: Vec<u8>,
    /// Its id, where known.
    pub id: Option<u32>,
    /// Natural logarithm of its probability.
    pub logprob: f64,
    /// The likeliest tokens in its place.
    pub top: Vec<TokenLogprob>,
}

/// A whole answer: what [`Event`]s add up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// What was known before.
    pub head: Head,
    /// The choices, by number.
    pub choices: Vec<AnswerChoice>,
    /// What it cost.
    pub usage: Usage,
}

/// One choice of a whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnswerChoice {
    /// What was written, in order.
    pub blocks: Vec<Block>,
    /// Why it ended.
    pub finish: Option<Finish>,
    /// The stop text or token that ended it.
    pub stop: Option<StopCause>,
    /// What it lacks, as a broken schema.
    pub violation: Option<String>,
    /// Log probabilities, where asked for.
    pub logprobs: Vec<TokenLogprob>,
    /// Token ids, where asked for.
    pub token_ids: Vec<u32>,
    /// The prompt in token ids, where asked for.
    pub prompt_token_ids: Option<Arc<[u32]>>,
    /// What no field has (text mode).
    pub extra: Fields,
}

/// A part of what was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Text.
    Text(String),
    /// Reasoning, with the signature over it where there is one.
    Reasoning {
        /// The text.
        text: String,
        /// The signature.
        signature: Option<String>,
    },
    /// A tool call.
    Call(ToolCall),
}
