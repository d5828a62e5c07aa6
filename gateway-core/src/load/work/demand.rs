//! What a request asks of an endpoint, and what others ask of it.

use crate::{BlockHash, Stage, latency::PromptWork};

/// What a request asks of an endpoint, as a forecast and a booking need it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demand<'a> {
    /// The part of the work.
    pub stage: Stage,
    /// Prompt length in tokens.
    pub prompt_tokens: u32,
    /// Leading prompt tokens in the endpoint's cache, in any tier.
    pub cached_tokens: u32,
    /// Of those, tokens in a lower tier.
    pub loaded_tokens: u32,
    /// Tokens expected to come out.
    pub output_tokens: f32,
    /// Hashes of the prompt's blocks.
    pub blocks: &'a [BlockHash],
    /// Tokens one of them stands for.
    pub block_tokens: u32,
    /// Its first token will not be seen, because the reply comes whole: the prompt counts as done when predicted.
    pub is_silent: bool,
}

/// Work of others on the endpoint, as its telemetry lets us know.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::load) struct Foreign {
    pub(in crate::load) requests: u32,
    pub(in crate::load) waiting: u32,
    pub(in crate::load) kv_share: f32,
}

impl Demand<'_> {
    /// The work of its prompt.
    pub(super) fn prompt(&self) -> PromptWork {
        PromptWork::of(self.prompt_tokens, self.cached_tokens, self.loaded_tokens)
    }

    /// Whether its prompt is computed here.
    pub(super) fn has_prompt(&self) -> bool {
        self.stage != Stage::Decode
    }
}
