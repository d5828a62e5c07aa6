//! The one place of this crate that reads a clock.

use std::time::{SystemTime, UNIX_EPOCH};

use gateway_core::Timestamp;
use tokio::time::Instant;

/// The time since the router started, as the core's time. Follows tokio's clock, so tests may pause it.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The time of day in Unix seconds, to compare with what engines write on their KV events. It may jump.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one reading of the system's clock in this crate"
    )]
    pub(crate) fn unix_seconds() -> f64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.unwrap_or_default().as_secs_f64()
    }
}
