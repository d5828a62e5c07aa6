//! What engines give.

/// Something new of one choice: ids, an ending, or both.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenEvent {
    /// The choice's number, below the call's `n`.
    pub choice: u32,
    /// The new tokens. The token that ended the choice is among them where the engine tells it, as most do.
    pub ids: Vec<u32>,
    /// One per id where log probabilities were asked for and the engine gave them, else empty.
    pub logprobs: Vec<IdLogprob>,
    /// Why the choice is over; nothing more of it follows.
    pub finish: Option<TokenFinish>,
}

/// A token id with its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct IdLogprob {
    /// The token.
    pub id: u32,
    /// Natural logarithm of its probability; engines tell of none as -9999.
    pub logprob: f64,
    /// The likeliest tokens in its place, likeliest first, no more than were asked for.
    pub top: Vec<(u32, f64)>,
}

/// Why a choice is over. Where an engine gave a request up or failed, the whole stream is a
/// [`TokenFault`](super::TokenFault) instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenFinish {
    /// The model was done.
    Stop {
        /// The token among [`stop_token_ids`](crate::ir::Sampling::stop_token_ids) that ended it; `None` for the model's
        /// own end.
        token: Option<u32>,
    },
    /// As many tokens as were allowed, or the context is full.
    Length,
    /// The engine ran out of room and threw the request out, to have it computed again from its prompt and the tokens so
    /// far. vLLM's builds for Ascend say so on decode engines, as the stop reason `recomputed`.
    Recomputed,
    /// Another word of the engine's.
    Other(String),
}
