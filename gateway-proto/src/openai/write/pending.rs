//! What rides on a choice's next chunk.

use crate::ir::TokenLogprob;

/// The most tokens that wait for their text; more get a chunk of their own.
const MOST_TOKENS: usize = 256;

/// Log probabilities and token ids whose text has not come yet.
#[derive(Debug, Default)]
pub(in crate::openai) struct Pending {
    pub(in crate::openai) logprobs: Vec<TokenLogprob>,
    pub(in crate::openai) ids: Vec<u32>,
}

impl Pending {
    #[inline]
    pub(in crate::openai) fn is_empty(&self) -> bool {
        self.logprobs.is_empty() && self.ids.is_empty()
    }

    /// True when enough waits for a chunk of its own.
    pub(in crate::openai) fn is_full(&self) -> bool {
        self.logprobs.len() >= MOST_TOKENS || self.ids.len() >= MOST_TOKENS
    }
}
