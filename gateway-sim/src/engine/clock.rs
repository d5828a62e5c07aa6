//! The one place that reads a clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gateway_core::Timestamp;

/// Wall time, scaled to the time of the model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// Seconds of the model in a second of wall time.
    scale: f64,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the crate's clock")]
    pub(crate) fn start(scale: f64) -> Self {
        Self {
            origin: Instant::now(),
            scale,
        }
    }

    /// The model's time now.
    #[expect(clippy::disallowed_methods, reason = "this is the crate's clock")]
    pub(crate) fn now(&self) -> Timestamp {
        let age = Instant::now().saturating_duration_since(self.origin);
        Timestamp::ZERO.after(age.mul_f64(self.scale))
    }

    /// The wall time until the model's time is `at`.
    pub(crate) fn until(&self, at: Timestamp) -> Duration {
        self.wall(at.since(self.now()))
    }

    /// The wall time that a span of the model takes.
    pub(crate) fn wall(&self, span: Duration) -> Duration {
        span.div_f64(self.scale)
    }

    /// Seconds since 1970, for what engines put into replies and events.
    #[expect(clippy::disallowed_methods, reason = "this is the crate's clock")]
    pub(crate) fn unix_seconds() -> f64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    }
}
