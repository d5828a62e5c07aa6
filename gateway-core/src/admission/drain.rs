//! How fast the queue drains, as measured.

use std::time::Duration;

use crate::{Timestamp, span_of_millis};

/// How far back the measure looks, in seconds.
const WINDOW_SECS: f64 = 10.0;

/// Less time than that says nothing, in seconds.
const LEAST_SECS: f64 = 0.5;

/// What left the queue to be served, the older the less it counts.
#[derive(Debug)]
pub(super) struct Drain {
    began: Timestamp,
    requests: f64,
    tokens: f64,
    at: Timestamp,
}

impl Drain {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            began: now,
            requests: 0.0,
            tokens: 0.0,
            at: now,
        }
    }

    pub(super) fn served(&mut self, tokens: u64, now: Timestamp) {
        let left = self.left(now);
        self.requests = self.requests * left + 1.0;
        self.tokens = self.tokens * left + tokens as f64;
        self.at = self.at.max(now);
    }

    /// What is left by now of what counted when it was last written down, 0 to 1.
    fn left(&self, now: Timestamp) -> f64 {
        (-now.since(self.at).as_secs_f64() / WINDOW_SECS).exp()
    }

    /// How long so many requests of so many tokens take to drain, by whichever is slower: requests may have become
    /// longer, and what is expected of them as well. `None` where nothing was measured.
    pub(super) fn time_for(&self, requests: u32, tokens: u64, now: Timestamp) -> Option<Duration> {
        let seconds = now.since(self.began).as_secs_f64();
        if seconds < LEAST_SECS || self.requests <= 0.0 {
            return None;
        }
        let window = WINDOW_SECS * (1.0 - (-seconds / WINDOW_SECS).exp());
        let rate = self.left(now) / window;
        let by_requests = f64::from(requests) / (self.requests * rate);
        let by_tokens = tokens as f64 / (self.tokens * rate);
        Some(span_of_millis(by_requests.max(by_tokens) * 1_000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_found_and_nothing_is_said_without_one() {
        let at = Timestamp::from_millis;
        let mut drain = Drain::new(at(0));
        assert_eq!(drain.time_for(1, 1, at(10_000)), None);
        for tenth in 1..=600 {
            drain.served(100, at(tenth * 100));
            if tenth % 50 == 0 {
                let time = drain.time_for(50, 1, at(tenth * 100)).expect("measured");
                assert!((4.9..5.1).contains(&time.as_secs_f64()), "{time:?}");
                let time = drain.time_for(1, 9_000, at(tenth * 100)).expect("measured");
                assert!((8.8..9.2).contains(&time.as_secs_f64()), "{time:?}");
            }
        }
        let slower = drain.time_for(50, 5_000, at(70_000)).expect("measured");
        assert!(slower > Duration::from_secs(10), "nothing left for 10 s");
    }
}
