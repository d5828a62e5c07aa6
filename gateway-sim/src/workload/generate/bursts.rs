//! Busy and quiet phases.

use serde::{Deserialize, Serialize};

use super::{Cx, Generator, Lengths};
use crate::workload::{Arrivals, Draft, Prompt};

/// Traffic that comes in waves, with one system prompt common to all. The phases here stand above the arrivals of the
/// traffic as a whole.
///
/// With the defaults about 27 % of blocks came before (2,000 requests, blocks of 512).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bursts {
    /// Length of a busy phase, in seconds.
    pub on_seconds: f64,
    /// Length of a quiet phase, in seconds.
    pub off_seconds: f64,
    /// How many times the quiet rate the busy rate is.
    pub ratio: f64,
    /// Length of the system prompt.
    pub system_tokens: u32,
    /// Length of a question.
    pub question_tokens: Lengths,
    /// Length of an answer.
    pub output_tokens: Lengths,
}

impl Default for Bursts {
    fn default() -> Self {
        Self {
            on_seconds: 8.0,
            off_seconds: 22.0,
            ratio: 8.0,
            system_tokens: 1_024,
            question_tokens: Lengths::new(1_500, 1.0),
            output_tokens: Lengths::new(200, 0.8),
        }
    }
}

impl Generator for Bursts {
    fn generate(&self, cx: &mut Cx) -> Vec<Draft> {
        let phases = Arrivals::OnOff {
            on_seconds: self.on_seconds,
            off_seconds: self.off_seconds,
            ratio: self.ratio,
        };
        let traffic = *cx.traffic();
        let times = phases.times(traffic.requests, traffic.rate, &mut cx.rng);
        let system = cx.segments.fresh();
        let mut request = |at| {
            let mut prompt = Prompt::default();
            prompt.push(system, self.system_tokens);
            let question = self.question_tokens.draw(&mut cx.rng);
            cx.append(&mut prompt, question);
            let output = self.output_tokens.draw(&mut cx.rng);
            cx.request(at, &prompt, output)
        };
        times.into_iter().map(&mut request).collect()
    }
}
