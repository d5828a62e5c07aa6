//! When to split.

use serde::{Deserialize, Serialize};

/// When a request is split between a prefill and a decode engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SplitRule {
    #[default]
    /// Where the predicted latency added by the best pair is less than that of the best single engine.
    Predicted,
    /// Where the decode engine would have to compute more than so many prompt tokens.
    AboveUncachedTokens(u32),
    /// Wherever there is a pair.
    Always,
    /// Never.
    Never,
}

impl SplitRule {
    /// Whether a pair is worth looking for, where the decode engine would have to compute so many prompt tokens.
    #[must_use]
    pub fn may_split(self, uncached_tokens: u32) -> bool {
        match self {
            Self::Predicted | Self::Always => true,
            Self::AboveUncachedTokens(most) => uncached_tokens > most,
            Self::Never => false,
        }
    }
}
