//! What all generators are handed.

use gateway_core::Rng;
use serde::{Deserialize, Serialize};

use crate::workload::{Arrivals, Draft, Prompt, Segments};

/// The most requests of one generated trace.
const REQUESTS_AT_MOST: usize = 5_000_000;
/// The most pieces of text that requests choose among.
const TEXTS_AT_MOST: usize = 1_000_000;
/// The lowest rate, in requests a second.
const RATE_AT_LEAST: f64 = 1e-6;

/// How much traffic.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Traffic {
    /// Requests.
    pub requests: usize,
    /// Requests a second in the long run.
    pub rate: f64,
    /// How requests, or the sessions they belong to, are spread over time.
    pub arrivals: Arrivals,
}

impl Default for Traffic {
    /// 2,000 requests at 10 a second, each independent of the others.
    fn default() -> Self {
        Self {
            requests: 2_000,
            rate: 10.0,
            arrivals: Arrivals::Poisson,
        }
    }
}

/// One run of a generator.
#[derive(Debug)]
pub struct Cx {
    traffic: Traffic,
    block_tokens: u32,
    /// The only source of chance.
    pub rng: Rng,
    /// The source of text.
    pub segments: Segments,
}

impl Cx {
    /// A run that follows wholly from its arguments.
    #[must_use]
    pub fn new(traffic: Traffic, block_tokens: u32, seed: u64) -> Self {
        Self {
            traffic: Traffic {
                requests: traffic.requests.min(REQUESTS_AT_MOST),
                rate: if traffic.rate.is_finite() {
                    traffic.rate.max(RATE_AT_LEAST)
                } else {
                    Traffic::default().rate
                },
                ..traffic
            },
            block_tokens,
            rng: Rng::from_seed(seed),
            segments: Segments::default(),
        }
    }

    /// How much traffic is wanted.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// The times of requests that do not depend on each other, in seconds.
    pub fn times(&mut self) -> Vec<f64> {
        let arrivals = self.traffic.arrivals;
        arrivals.times(self.traffic.requests, self.traffic.rate, &mut self.rng)
    }

    /// So many pieces of text, each with its length in tokens.
    pub(super) fn texts(&mut self, count: usize, lengths: super::Lengths) -> Vec<(u64, u32)> {
        let text = |_| (self.segments.fresh(), lengths.draw(&mut self.rng));
        (0..count.clamp(1, TEXTS_AT_MOST)).map(text).collect()
    }

    /// Appends text that nobody else has.
    pub(super) fn append(&mut self, prompt: &mut Prompt, tokens: u32) {
        prompt.push(self.segments.fresh(), tokens);
    }

    /// A request.
    pub fn request(&self, at_seconds: f64, prompt: &Prompt, output_tokens: u32) -> Draft {
        Draft::new(at_seconds, prompt, output_tokens, self.block_tokens)
    }
}
