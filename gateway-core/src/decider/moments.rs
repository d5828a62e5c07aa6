//! Virtual seconds as timestamps.

use crate::Timestamp;

/// Turns the sender's seconds into time that never runs back.
#[derive(Debug, Default)]
pub(super) struct Moments {
    latest: Timestamp,
}

impl Moments {
    /// The time of something that happens now. Where the sender's clock jumps back, time stands still.
    pub(super) fn now(&mut self, seconds: f64) -> Timestamp {
        self.latest = self.latest.max(timestamp(seconds));
        self.latest
    }

    /// The time of something that happened earlier and is told now.
    pub(super) fn past(&self, seconds: f64) -> Timestamp {
        timestamp(seconds).min(self.latest)
    }

    pub(super) fn latest(&self) -> Timestamp {
        self.latest
    }
}

/// Negative times and no numbers are the beginning; an end of time lies in a thousand years.
fn timestamp(seconds: f64) -> Timestamp {
    let micros = (seconds * 1e6).round().clamp(0.0, 3e16);
    Timestamp::from_micros(if micros.is_nan() { 0 } else { micros as u64 })
}
