//! How fast the queue drains, as measured.

use std::time::Duration;

use crate::{Timestamp, span_of_millis};

/// How far back the measure looks, in seconds.
const WINDOW_SECS: f64 = 10.0;

/// Less time than that says nothing, in seconds.
const LEAST_SECS: f64 = 0.5;

/// Tokens that left the queue to be served, the older the less they count.
#[derive(Debug)]
pub(super) struct Drain {
    began: Timestamp,
    tokens: f64,
    at: Timestamp,
}

impl Drain {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            began: now,
            tokens: 0.0,
            at: now,
        }
    }

    pub(super) fn served(&mut self, tokens: u64, now: Timestamp) {
        self.tokens = self.faded(now) + tokens as f64;
        self.at = self.at.max(now);
    }

    fn faded(&self, now: Timestamp) -> f64 {
        self.tokens * (-now.since(self.at).as_secs_f64() / WINDOW_SECS).exp()
    }

    /// How long so many tokens take to drain; `None` where nothing was measured.
    pub(super) fn time_for(&self, tokens: u64, now: Timestamp) -> Option<Duration> {
        let seconds = now.since(self.began).as_secs_f64();
        let window = WINDOW_SECS * (1.0 - (-seconds / WINDOW_SECS).exp());
        let rate = self.faded(now) / window;
        (seconds >= LEAST_SECS && rate > 0.0)
            .then(|| span_of_millis(tokens as f64 / rate * 1_000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_found_and_nothing_is_said_without_one() {
        let at = Timestamp::from_millis;
        let mut drain = Drain::new(at(0));
        assert_eq!(drain.time_for(1, at(10_000)), None);
        for tenth in 1..=600 {
            drain.served(100, at(tenth * 100));
            if tenth % 50 == 0 {
                let time = drain.time_for(5_000, at(tenth * 100)).expect("measured");
                assert!((4.9..5.1).contains(&time.as_secs_f64()), "{time:?}");
            }
        }
        let slower = drain.time_for(5_000, at(70_000)).expect("measured");
        assert!(slower > Duration::from_secs(10), "nothing left for 10 s");
    }
}
