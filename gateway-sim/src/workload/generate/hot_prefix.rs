//! One prefix that most requests have.

use serde::{Deserialize, Serialize};

use super::{Cx, Generator, Lengths};
use crate::workload::{Draft, Prompt};

/// A popular assistant among others: affinity alone would send most traffic to one engine.
///
/// With the defaults about 64 % of blocks came before (2,000 requests, blocks of 512).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HotPrefix {
    /// Share of the requests that have the hot prefix, 0 to 1.
    pub hot_share: f64,
    /// Prefixes among which the other requests choose.
    pub cold_prefixes: usize,
    /// Length of a prefix.
    pub prefix_tokens: Lengths,
    /// Length of a question.
    pub question_tokens: Lengths,
    /// Length of an answer.
    pub output_tokens: Lengths,
}

impl Default for HotPrefix {
    fn default() -> Self {
        Self {
            hot_share: 0.7,
            cold_prefixes: 100,
            prefix_tokens: Lengths::new(6_000, 0.0),
            question_tokens: Lengths::new(1_500, 0.8),
            output_tokens: Lengths::new(200, 0.7),
        }
    }
}

impl Generator for HotPrefix {
    fn generate(&self, cx: &mut Cx) -> Vec<Draft> {
        let hot = cx.texts(1, self.prefix_tokens)[0];
        let cold = cx.texts(self.cold_prefixes, self.prefix_tokens);
        let times = cx.times();
        let mut request = |at| {
            let prefix = if cx.rng.unit() < self.hot_share {
                hot
            } else {
                cold[cx.rng.below(cold.len())]
            };
            let mut prompt = Prompt::default();
            prompt.push(prefix.0, prefix.1);
            let question = self.question_tokens.draw(&mut cx.rng);
            cx.append(&mut prompt, question);
            let output = self.output_tokens.draw(&mut cx.rng);
            cx.request(at, &prompt, output)
        };
        times.into_iter().map(&mut request).collect()
    }
}
