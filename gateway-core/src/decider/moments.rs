//! Virtual seconds as timestamps.

use crate::Timestamp;

/// How far messages may be out of order, in microseconds. What lies further back is a clock that jumped.
const OUT_OF_ORDER: u64 = 5_000_000;

/// Turns the sender's seconds into time that never runs back.
#[derive(Debug, Default)]
pub(super) struct Moments {
    latest: Timestamp,
    /// Microseconds that the sender's clock has jumped back, all together.
    lost: u64,
}

impl Moments {
    /// The time of something that happens now.
    ///
    /// Messages a little out of order find time standing still. Where the sender's clock has jumped back, time goes on
    /// from where it was. No number is no word: time stands still.
    pub(super) fn now(&mut self, seconds: f64) -> Timestamp {
        let Some(micros) = micros(seconds) else {
            return self.latest;
        };
        let latest = self.latest.as_micros();
        let mut at = micros.saturating_add(self.lost);
        if at.saturating_add(OUT_OF_ORDER) < latest {
            self.lost = latest.saturating_sub(micros);
            at = latest;
        }
        self.latest = self.latest.max(Timestamp::from_micros(at));
        self.latest
    }

    /// The time of something that happened earlier and is told now; now where that is not said.
    pub(super) fn past(&self, seconds: f64) -> Timestamp {
        micros(seconds).map_or(self.latest, |micros| {
            Timestamp::from_micros(micros.saturating_add(self.lost)).min(self.latest)
        })
    }

    pub(super) fn latest(&self) -> Timestamp {
        self.latest
    }
}

/// Negative times are the beginning; an end of time lies in a thousand years.
fn micros(seconds: f64) -> Option<u64> {
    (!seconds.is_nan()).then(|| (seconds * 1e6).round().clamp(0.0, 3e16) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Timestamp {
        Timestamp::from_millis(n * 1_000)
    }

    #[test]
    fn a_little_out_of_order_stands_still() {
        let mut moments = Moments::default();
        assert_eq!(moments.now(10.0), seconds(10));
        assert_eq!(moments.now(7.0), seconds(10));
        assert_eq!(moments.now(12.0), seconds(12));
        assert_eq!(moments.past(11.0), seconds(11));
        assert_eq!(moments.past(99.0), seconds(12));
    }

    #[test]
    fn after_a_jump_back_time_goes_on() {
        let mut moments = Moments::default();
        moments.now(1_000.0);
        assert_eq!(moments.now(10.0), seconds(1_000));
        assert_eq!(moments.now(11.0), seconds(1_001));
        assert_eq!(moments.past(10.0), seconds(1_000));
        assert_eq!(moments.now(0.0), seconds(1_001));
        assert_eq!(moments.now(3.0), seconds(1_004));
    }

    #[test]
    fn what_is_no_time_changes_nothing() {
        let mut moments = Moments::default();
        moments.now(5.0);
        for odd in [f64::NAN, -1.0, f64::NEG_INFINITY] {
            assert_eq!(moments.now(odd), seconds(5), "{odd}");
        }
        assert_eq!(moments.past(f64::NAN), seconds(5));
        let end = moments.now(f64::INFINITY);
        for _ in 0..1_000 {
            moments.now(0.0);
            assert!(moments.now(f64::MAX) >= end, "no overflow");
        }
    }
}
