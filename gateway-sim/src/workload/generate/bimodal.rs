//! Many short prompts and a few very long ones.

use serde::{Deserialize, Serialize};

use super::{Cx, Generator, Lengths};
use crate::workload::{Draft, Prompt};

/// Chats beside batch summaries: a long prompt that lands before short ones holds them all up, and a slow chip takes short
/// prompts only. Nothing is shared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bimodal {
    /// Share of the requests that are long, 0 to 1.
    pub long_share: f64,
    /// Length of a short prompt.
    pub short_tokens: Lengths,
    /// Length of a long prompt.
    pub long_tokens: Lengths,
    /// Length of an answer.
    pub output_tokens: Lengths,
}

impl Default for Bimodal {
    fn default() -> Self {
        Self {
            long_share: 0.08,
            short_tokens: Lengths::new(500, 0.7),
            long_tokens: Lengths {
                median: 24_000,
                sigma: 0.4,
                at_most: 60_000,
            },
            output_tokens: Lengths::new(200, 0.7),
        }
    }
}

impl Generator for Bimodal {
    fn generate(&self, cx: &mut Cx) -> Vec<Draft> {
        let times = cx.times();
        let mut request = |at| {
            let lengths = if cx.rng.unit() < self.long_share {
                self.long_tokens
            } else {
                self.short_tokens
            };
            let mut prompt = Prompt::default();
            let tokens = lengths.draw(&mut cx.rng);
            cx.append(&mut prompt, tokens);
            let output = self.output_tokens.draw(&mut cx.rng);
            cx.request(at, &prompt, output)
        };
        times.into_iter().map(&mut request).collect()
    }
}
