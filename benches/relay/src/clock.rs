//! The one clock. Engine and load generator share it, so a chunk can carry the moment it was
//! written.

use std::time::{Duration, Instant};

/// Nanoseconds since the run began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// Begins at zero.
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark reads the clock; here alone"
    )]
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// The present, as timers want it.
    pub(crate) fn now(self) -> Instant {
        self.start + self.start.elapsed()
    }

    /// Nanoseconds since [`Clock::start`].
    pub(crate) fn nanos(self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Time since `earlier_nanos`, a reading of this clock.
    pub(crate) fn since(self, earlier_nanos: u64) -> Duration {
        Duration::from_nanos(self.nanos().saturating_sub(earlier_nanos))
    }
}
