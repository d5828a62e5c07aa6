//! What came of a replay.

use gateway_core::decider::RoleName;

use super::{Gaps, ReplayRecord};
use crate::fleet::Summary;

/// The fate of all requests and engines.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayReport {
    /// One record for each request, in the order of the trace.
    pub records: Vec<ReplayRecord>,
    /// Times between two tokens of one request (inter-token latency), over all requests.
    pub gaps: Gaps,
    /// One for each engine.
    pub engines: Vec<EngineReport>,
    /// Seconds from the first arrival to the last token.
    pub makespan_seconds: f64,
}

/// What one engine did. Shares are of the replay's makespan or of the engine's capacity, 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineReport {
    /// Its part of the work.
    pub role: RoleName,
    /// Share of the time in which it had a step under way.
    pub busy_share: f64,
    /// Seconds in which it had a step under way.
    pub busy_seconds: f64,
    /// Mean share of its KV blocks that sequences held.
    pub kv_mean: f64,
    /// The largest such share.
    pub kv_peak: f64,
    /// The most KV blocks that sequences held at once.
    pub blocks_peak: u32,
    /// Sequences that lost their place for want of blocks.
    pub preemptions: u64,
    /// Prompt tokens computed, those lost by preemption again.
    pub computed_tokens: u64,
    /// Prompt tokens not computed at a request's first admission: found on the device or in host memory, or received.
    pub cached_tokens: u64,
    /// Tokens generated.
    pub generated_tokens: u64,
    /// Steps done.
    pub steps: u64,
}

impl ReplayReport {
    /// Times to the first token.
    #[must_use]
    pub fn ttft(&self) -> Summary {
        Summary::of(self.records.iter().filter_map(ReplayRecord::ttft))
    }

    /// Times between two tokens.
    #[must_use]
    pub fn itl(&self) -> Summary {
        self.gaps.summary()
    }

    /// Mean times of a token after the first.
    #[must_use]
    pub fn tpot(&self) -> Summary {
        Summary::of(self.records.iter().filter_map(ReplayRecord::tpot))
    }

    /// Times to the last token.
    #[must_use]
    pub fn e2e(&self) -> Summary {
        Summary::of(self.records.iter().filter_map(ReplayRecord::e2e))
    }

    /// Requests that nobody served.
    #[must_use]
    pub fn rejected(&self) -> usize {
        self.records.iter().filter(|record| record.rejected).count()
    }

    /// Sequences that lost their place for want of blocks, over all engines.
    #[must_use]
    pub fn preemptions(&self) -> u64 {
        self.engines.iter().map(|engine| engine.preemptions).sum()
    }

    /// The share of the served requests' prompt tokens that was in the cache, 0 to 1.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        let served = || self.records.iter().filter(|record| !record.rejected);
        let cached: f64 = served().map(|record| f64::from(record.cached_tokens)).sum();
        let input: f64 = served().map(|record| f64::from(record.input_tokens)).sum();
        cached / input.max(1.0)
    }

    /// The share of all requests that finished within both their objectives, 0 to 1; the rejected did not.
    #[must_use]
    pub fn goodput(&self) -> f64 {
        let good = self
            .records
            .iter()
            .filter(|record| record.is_good())
            .count();
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let share = good as f64 / self.records.len().max(1) as f64;
        share
    }

    /// The largest busy share among engines of that role over their mean; 1 where all are equally busy or idle, none
    /// where there are no such engines.
    #[must_use]
    pub fn imbalance(&self, role: RoleName) -> Option<f64> {
        let shares = || {
            self.engines
                .iter()
                .filter(|engine| engine.role == role)
                .map(|engine| engine.busy_share)
        };
        let count = u32::try_from(shares().count()).ok().filter(|n| *n > 0)?;
        let mean = shares().sum::<f64>() / f64::from(count);
        let most = shares().fold(0.0, f64::max);
        Some(if mean > 0.0 { most / mean } else { 1.0 })
    }
}
