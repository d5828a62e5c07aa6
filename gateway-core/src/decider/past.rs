//! What was in flight at an engine, and when: telemetry comes late and speaks of the past.

use std::collections::VecDeque;

use crate::{
    Timestamp,
    load::{InFlight, SampleMark},
};

/// Changes that are remembered.
const CHANGES: usize = 8_192;

/// The load of one engine over time.
#[derive(Debug, Default)]
pub(super) struct Past {
    changes: VecDeque<(Timestamp, InFlight)>,
    sampled_at: Timestamp,
}

impl Past {
    /// The load is this from `now` on.
    pub(super) fn note(&mut self, now: Timestamp, load: InFlight) {
        if self.changes.len() >= CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back((now, load));
    }

    /// The load as it was at `then`, for a sample of that time; none where a later one came before it.
    pub(super) fn mark(&mut self, then: Timestamp) -> Option<SampleMark> {
        if then < self.sampled_at {
            return None;
        }
        self.sampled_at = then;
        let after = self.changes.partition_point(|(at, _)| *at <= then);
        let load = after.checked_sub(1).map(|at| self.changes[at].1);
        Some(SampleMark::new(then, load.unwrap_or_default()))
    }
}
