//! How far behind its engine a feed is.

/// Seconds by which a difference between two clocks may be believed to drift, per second.
const DRIFT: f64 = 0.01;

/// Compares the time on a message with the time of day. Clocks of two hosts differ, so the least difference seen counts
/// as none; it is let rise slowly, because clocks drift.
#[derive(Debug, Default)]
pub(super) struct Lag {
    least: Option<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    difference: f64,
    at: f64,
}

impl Lag {
    /// The lag in seconds, never negative, of a message published at `published` and taken in at `now`, both in Unix
    /// seconds by the clock of each side.
    pub(super) fn of(&mut self, published: f64, now: f64) -> f64 {
        let difference = now - published;
        if !difference.is_finite() {
            return 0.0;
        }
        let usual = self.least.map_or(difference, |least| {
            least.difference + DRIFT * (now - least.at).max(0.0)
        });
        if difference <= usual {
            self.least = Some(Seen {
                difference,
                at: now,
            });
            // Clocks that agree to a second are taken to agree: a feed may lag from its first message on.
            return if self.is_plausible(difference) {
                difference
            } else {
                0.0
            };
        }
        if self.is_plausible(usual) {
            difference
        } else {
            difference - usual
        }
    }

    fn is_plausible(&self, difference: f64) -> bool {
        (0.0..1.0).contains(&difference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 0.05, "{a} is not {b}");
    }

    #[test]
    fn a_late_message_lags_by_how_late_it_is() {
        let mut lag = Lag::default();
        close(lag.of(100.0, 100.01), 0.01);
        close(lag.of(101.0, 104.0), 3.0);
        close(lag.of(105.0, 105.02), 0.02);
    }

    #[test]
    fn clocks_that_differ_are_no_lag() {
        for off in [-3_600.0, -2.0, 7.0, 1e9] {
            let mut lag = Lag::default();
            close(lag.of(100.0, 100.0 + off), 0.0);
            close(lag.of(101.0, 103.5 + off), 2.5);
        }
    }

    #[test]
    fn a_clock_that_jumps_is_believed_again_in_time() {
        let mut lag = Lag::default();
        close(lag.of(0.0, 0.0), 0.0);
        assert!(lag.of(10.0, 40.0) > 20.0);
        let mut now = 40.0;
        while lag.of(now - 30.0, now) > 1.0 {
            now += 60.0;
            assert!(now < 1e5, "never believed again");
        }
        close(lag.of(f64::NAN, 1.0), 0.0);
    }
}
