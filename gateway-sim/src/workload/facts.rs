//! What a trace is like.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::replay::TraceRequest;

/// The size and shape of some traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Requests.
    pub requests: usize,
    /// From the first arrival to the last, in seconds.
    pub seconds: f64,
    /// Requests a second over that time.
    pub rate: f64,
    /// Mean prompt length in tokens.
    pub input_tokens: f64,
    /// Mean output length in tokens.
    pub output_tokens: f64,
    /// Share of all blocks that came before, 0 to 1: what one cache without end would find.
    pub reuse: f64,
}

impl Facts {
    /// Of these requests.
    #[must_use]
    pub fn of(trace: &[TraceRequest]) -> Self {
        let (Some(first), Some(last)) = (trace.first(), trace.last()) else {
            return Self::default();
        };
        let mut seen = HashSet::new();
        let (mut blocks, mut repeated) = (0_u64, 0_u64);
        for id in trace.iter().flat_map(|request| &*request.blocks) {
            blocks += 1;
            repeated += u64::from(!seen.insert(*id));
        }
        let count = real(trace.len() as u64);
        let mean = |tokens: fn(&TraceRequest) -> u32| {
            real(trace.iter().map(|request| u64::from(tokens(request))).sum()) / count
        };
        let seconds = last.at_seconds - first.at_seconds;
        Self {
            requests: trace.len(),
            seconds,
            rate: if seconds > 0.0 { count / seconds } else { 0.0 },
            input_tokens: mean(|request| request.input_tokens),
            output_tokens: mean(|request| request.output_tokens),
            reuse: real(repeated) / real(blocks.max(1)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn real(count: u64) -> f64 {
    count as f64
}
