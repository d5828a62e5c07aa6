//! Time as an argument: the core never reads a clock.

use std::time::Duration;

/// Microseconds since an origin that the caller chose, never decreasing.
///
/// A service passes the age of its process, a simulation its virtual time. Only differences mean anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The origin.
    pub const ZERO: Self = Self(0);

    /// A time so many microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// A time so many milliseconds after the origin.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time passed since `earlier`, or zero where `earlier` is in the future (clocks jump).
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// This time plus `span`, held at the end of time.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)),
        )
    }
}

/// A predicted number of milliseconds as a time: nothing below 0, and none is taken to mean more than a day.
#[expect(
    clippy::manual_clamp,
    reason = "`clamp` would let NaN through, which is no time"
)]
#[must_use]
pub fn span_of_millis(ms: f64) -> Duration {
    Duration::from_secs_f64((ms / 1_000.0).max(0.0).min(86_400.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_that_make_no_sense_are_still_times() {
        assert_eq!(span_of_millis(1.5), Duration::from_micros(1_500));
        for none in [-1.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(span_of_millis(none), Duration::ZERO);
        }
        assert_eq!(span_of_millis(f64::INFINITY), Duration::from_hours(24));
    }
}
