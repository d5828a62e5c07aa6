//! How fast the queue drains, as measured.

use std::{collections::VecDeque, time::Duration};

use crate::{Timestamp, span_of_millis};

/// How far back the measure looks.
const WINDOW: Duration = Duration::from_secs(10);

/// So many departures count however long ago they were, so that a slow queue is measured too.
const COUNTED_AT_LEAST: usize = 16;

/// No more are kept: a fast queue is measured well over less than the window.
const KEPT_AT_MOST: usize = 256;

/// Less time than that says nothing.
const LEAST: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug)]
struct Departure {
    at: Timestamp,
    tokens: u64,
}

/// The last that left the queue to be served.
#[derive(Debug)]
pub(super) struct Drain {
    began: Timestamp,
    /// The first one only says when the others began to count; before any left, the queue's own beginning does.
    departures: VecDeque<Departure>,
}

impl Drain {
    pub(super) fn new(now: Timestamp) -> Self {
        let beginning = Departure { at: now, tokens: 0 };
        Self {
            began: now,
            departures: VecDeque::from([beginning]),
        }
    }

    pub(super) fn served(&mut self, tokens: u64, now: Timestamp) {
        let latest = self.departures.back().map_or(now, |latest| latest.at);
        // A clock that jumps back changes nothing.
        let at = now.max(latest);
        self.departures.push_back(Departure { at, tokens });
        if self.departures.len() > KEPT_AT_MOST {
            self.departures.pop_front();
        }
    }

    /// How long so many requests of so many tokens take to drain, by whichever is slower: requests may have become
    /// longer, and what is expected of them as well. `None` where nothing was measured.
    pub(super) fn time_for(&self, requests: u32, tokens: u64, now: Timestamp) -> Option<Duration> {
        let all = self.departures.len();
        if now.since(self.began) < LEAST || all < 2 {
            return None;
        }
        let within = |one: &Departure| now.since(one.at) <= WINDOW;
        let recent = self.departures.partition_point(|one| !within(one));
        let first = recent.min(all.saturating_sub(COUNTED_AT_LEAST)).max(1);
        let since = self.departures[first - 1].at;
        let counted = self.departures.iter().skip(first);
        let served_tokens: f64 = counted.map(|one| one.tokens as f64).sum();
        let ms = now.since(since).as_secs_f64() * 1_000.0;
        let by_requests = f64::from(requests) * ms / (all - first) as f64;
        let by_tokens = tokens as f64 * ms / served_tokens.max(1.0);
        Some(span_of_millis(by_requests.max(by_tokens)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_steady_rate_is_found_and_nothing_is_said_without_one() {
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

    #[test]
    fn a_slow_queue_is_measured_by_its_own_pace() {
        for every_seconds in [1, 20, 60, 600] {
            let mut drain = Drain::new(at(0));
            for count in 1..=40 {
                drain.served(1_000, at(count * every_seconds * 1_000));
                for (requests, later) in [(10_u32, 0), (10, every_seconds * 900), (1, 0)] {
                    let now = at(count * every_seconds * 1_000 + later);
                    let told = drain.time_for(requests, 1, now).expect("measured");
                    let ratio = told.as_secs_f64() / (f64::from(requests) * every_seconds as f64);
                    assert!((0.99..2.0).contains(&ratio), "{every_seconds} s: {told:?}");
                }
            }
        }
    }

    #[test]
    fn a_queue_that_has_become_fast_or_slow_is_followed() {
        let mut drain = Drain::new(at(0));
        (1..=20).for_each(|minute| drain.served(10, at(minute * 60_000)));
        // A thousand in ten seconds.
        (1..=1_000).for_each(|n| drain.served(10, at(1_200_000 + n * 10)));
        let fast = drain.time_for(100, 1, at(1_210_000)).expect("measured");
        assert!((0.9..1.1).contains(&fast.as_secs_f64()), "{fast:?}");
        let stalled = drain.time_for(100, 1, at(1_300_000)).expect("measured");
        assert!(stalled > Duration::from_mins(5), "{stalled:?}");
    }
}
