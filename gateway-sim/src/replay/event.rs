//! What happens when, in one order for equal times.

use std::cmp::Ordering;

/// Something that happens at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Event {
    /// In seconds.
    pub(super) at: f64,
    pub(super) kind: Kind,
}

/// What happens. At equal times the first kind comes first, and within it the lowest number: steps come last, so that
/// an engine sees everything that came in when its step ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The KV cache of a request is at its decode engine.
    Sent { request: u32, place: u32 },
    /// A request that was held is to be placed.
    Retry { request: u32, tries: u32 },
    /// The next request of the trace comes.
    Arrival { request: u32 },
    /// Telemetry is sampled.
    Sample,
    /// An engine's step ends, or it has work to start with.
    Step { engine: u32 },
}

impl Eq for Event {}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at
            .total_cmp(&other.at)
            .then_with(|| self.kind.cmp(&other.kind))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
