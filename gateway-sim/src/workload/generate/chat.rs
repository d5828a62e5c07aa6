//! Conversations.

use serde::{Deserialize, Serialize};

use super::{
    Cx, Generator, Lengths,
    sessions::{self, Pace},
};
use crate::workload::{Draft, Prompt};

/// People who talk with one assistant: a system prompt common to all, an opening that may carry a document, and now and then
/// a further turn.
///
/// With the defaults about 37 % of blocks came before (2,000 requests, blocks of 512), as in recorded conversations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chat {
    /// Length of the system prompt.
    pub system_tokens: u32,
    /// Length of the first thing that a person says.
    pub opening_tokens: Lengths,
    /// Mean turns of a conversation (geometric).
    pub turns: f64,
    /// Mean seconds from a turn to the next one of its conversation (exponential).
    pub pause_seconds: f64,
    /// Length of what a person says next.
    pub follow_up_tokens: Lengths,
    /// Length of an answer.
    pub output_tokens: Lengths,
}

impl Default for Chat {
    fn default() -> Self {
        Self {
            system_tokens: 600,
            opening_tokens: Lengths::new(3_000, 1.2),
            turns: 1.8,
            pause_seconds: 40.0,
            follow_up_tokens: Lengths::new(500, 1.5),
            output_tokens: Lengths::new(250, 0.9),
        }
    }
}

impl Generator for Chat {
    fn generate(&self, cx: &mut Cx) -> Vec<Draft> {
        let system = cx.segments.fresh();
        let pace = Pace {
            turns: self.turns,
            pause_seconds: self.pause_seconds,
        };
        let open = |cx: &mut Cx| {
            let mut prompt = Prompt::default();
            prompt.push(system, self.system_tokens);
            let opening = self.opening_tokens.draw(&mut cx.rng);
            cx.append(&mut prompt, opening);
            prompt
        };
        sessions::play(cx, pace, open, |cx, prompt, at| {
            let output = self.output_tokens.draw(&mut cx.rng);
            let request = cx.request(at, prompt, output);
            let next = self.follow_up_tokens.draw(&mut cx.rng);
            cx.append(prompt, output);
            cx.append(prompt, next);
            request
        })
    }
}
