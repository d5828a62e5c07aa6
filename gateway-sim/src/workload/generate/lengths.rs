//! How long pieces of text are.

use gateway_core::Rng;
use serde::{Deserialize, Serialize};

use crate::workload::draw;

/// The longest piece of text, in tokens.
const TOKENS_AT_MOST: u32 = 1_000_000;

/// Log-normal lengths in tokens, at least 1: most near the median, a few far above.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lengths {
    /// Half are shorter than this.
    pub median: u32,
    /// Deviation of the logarithm: 0 for equal lengths, 1 where one in six is 2.7 times the median or more.
    #[serde(default)]
    pub sigma: f64,
    /// Longer ones are cut to this.
    #[serde(default = "longest")]
    pub at_most: u32,
}

fn longest() -> u32 {
    TOKENS_AT_MOST
}

impl Lengths {
    /// Lengths that are not cut.
    #[must_use]
    pub const fn new(median: u32, sigma: f64) -> Self {
        Self {
            median,
            sigma,
            at_most: TOKENS_AT_MOST,
        }
    }

    /// One length, in tokens.
    pub fn draw(&self, rng: &mut Rng) -> u32 {
        let sigma = if self.sigma.is_finite() {
            self.sigma.clamp(0.0, 4.0)
        } else {
            0.0
        };
        draw::tokens(rng, self.median, sigma, self.at_most.min(TOKENS_AT_MOST))
    }
}
