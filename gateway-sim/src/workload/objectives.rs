//! What requests want.

use serde::{Deserialize, Serialize};

/// The objectives of a request, by the length of its prompt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Objectives {
    /// For the time to the first token, in milliseconds; the least, where it grows with the prompt.
    pub ttft_ms: f64,
    /// Milliseconds to the first token per 1,000 prompt tokens; counts where it gives more than `ttft_ms`.
    pub ttft_ms_per_1k: f64,
    /// For the mean time per output token after the first, in milliseconds.
    pub tpot_ms: f64,
}

impl Default for Objectives {
    /// 2 s to the first token whatever the length, then 50 ms a token: 20 tokens a second.
    fn default() -> Self {
        Self {
            ttft_ms: 2_000.0,
            ttft_ms_per_1k: 0.0,
            tpot_ms: 50.0,
        }
    }
}

impl Objectives {
    /// The objective for the first token of a prompt of that length, in milliseconds.
    #[must_use]
    pub fn ttft_ms(&self, input_tokens: u32) -> f64 {
        self.ttft_ms
            .max(self.ttft_ms_per_1k * f64::from(input_tokens) / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_prompts_may_have_longer() {
        let fixed = Objectives::default();
        assert_eq!(fixed.ttft_ms(100_000), 2_000.0);
        let scaled = Objectives {
            ttft_ms: 1_000.0,
            ttft_ms_per_1k: 250.0,
            ..fixed
        };
        assert_eq!(scaled.ttft_ms(10), 1_000.0);
        assert_eq!(scaled.ttft_ms(20_000), 5_000.0);
    }
}
