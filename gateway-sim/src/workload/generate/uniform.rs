//! Nothing in common, all lengths equally likely.

use gateway_core::Rng;
use serde::{Deserialize, Serialize};

use super::{Cx, Generator};
use crate::workload::{Draft, Prompt};

/// The plainest traffic: lengths from flat ranges, no shared prefix.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Uniform {
    /// The shortest and the longest prompt, in tokens.
    pub input_tokens: [u32; 2],
    /// The shortest and the longest answer, in tokens.
    pub output_tokens: [u32; 2],
}

impl Default for Uniform {
    fn default() -> Self {
        Self {
            input_tokens: [200, 6_000],
            output_tokens: [50, 450],
        }
    }
}

impl Generator for Uniform {
    fn generate(&self, cx: &mut Cx) -> Vec<Draft> {
        let times = cx.times();
        let mut request = |at| {
            let mut prompt = Prompt::default();
            let tokens = between(&mut cx.rng, self.input_tokens).max(1);
            cx.append(&mut prompt, tokens);
            let output = between(&mut cx.rng, self.output_tokens);
            cx.request(at, &prompt, output)
        };
        times.into_iter().map(&mut request).collect()
    }
}

/// A number from a range, both ends included; in either order.
fn between(rng: &mut Rng, [a, b]: [u32; 2]) -> u32 {
    let (low, high) = (a.min(b), a.max(b));
    let width = (high - low) as usize + 1;
    low + u32::try_from(rng.below(width)).unwrap_or(0)
}
