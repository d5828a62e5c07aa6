//! When to split.

use serde::{Deserialize, Serialize};

/// When a request is split between a prefill and a decode engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SplitRule {
    #[default]
    /// Where the predicted latency added by the best pair is less than that of the best single engine, and the decode engine
    /// would have to compute 64 prompt tokens or more.
    Predicted,
    /// Where the decode engine would have to compute more than so many prompt tokens.
    AboveUncachedTokens(u32),
    /// Wherever there is a pair.
    Always,
    /// Never.
    Never,
}

/// Prompt tokens below which nothing is predicted to be gained by a hand-over. Of fewer, vLLM's NIXL connector computes them
/// anew rather than fetch them (`kv_recompute_threshold`).
const WORTH_A_TRANSFER: u32 = 64;

impl SplitRule {
    /// Whether a pair is worth looking for, where the decode engine would have to compute so many prompt tokens.
    #[must_use]
    pub fn may_split(self, uncached_tokens: u32) -> bool {
        match self {
            Self::Predicted => uncached_tokens >= WORTH_A_TRANSFER,
            Self::Always => true,
            Self::AboveUncachedTokens(most) => uncached_tokens > most,
            Self::Never => false,
        }
    }
}
