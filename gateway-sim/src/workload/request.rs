//! A request before anybody wants anything of it.

use std::sync::Arc;

use super::{Objectives, Prompt};
use crate::replay::TraceRequest;

/// What a trace or a generator says of a request; the objectives come from elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// When it comes, in seconds.
    pub at_seconds: f64,
    /// Prompt tokens, at least 1.
    pub input_tokens: u32,
    /// Tokens it will get, at least 1.
    pub output_tokens: u32,
    /// Ids of the prompt's blocks, in order.
    pub blocks: Arc<[u64]>,
}

impl Draft {
    /// A request with this prompt, cut into blocks of `block_tokens` tokens.
    #[must_use]
    pub fn new(at_seconds: f64, prompt: &Prompt, output_tokens: u32, block_tokens: u32) -> Self {
        Self {
            at_seconds,
            input_tokens: prompt.tokens().max(1),
            output_tokens: output_tokens.max(1),
            blocks: prompt.blocks(block_tokens),
        }
    }

    /// The same with objectives.
    #[must_use]
    pub fn wanting(self, objectives: &Objectives) -> TraceRequest {
        TraceRequest {
            at_seconds: self.at_seconds,
            ttft_slo_ms: objectives.ttft_ms(self.input_tokens),
            tpot_slo_ms: objectives.tpot_ms,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            blocks: self.blocks,
        }
    }
}

/// Puts requests in the order of their arrival; those of equal time keep theirs.
pub(super) fn sort(drafts: &mut [Draft]) {
    drafts.sort_by(|a, b| a.at_seconds.total_cmp(&b.at_seconds));
}
