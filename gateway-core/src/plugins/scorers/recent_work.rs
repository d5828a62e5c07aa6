//! How much each endpoint was given lately.

use std::{collections::BTreeMap, time::Duration};

use crate::{EndpointId, Timestamp};

/// Parts of the window; what falls out does so a part at a time.
const PARTS: usize = 36;

/// Sums over a sliding window, one per endpoint. Bounded: at most one entry for each endpoint number.
#[derive(Debug)]
pub(super) struct RecentWork {
    part: Duration,
    endpoints: BTreeMap<EndpointId, [Part; PARTS]>,
}

/// What was added within one part of the window, counted from time 0.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    number: u64,
    amount: f64,
}

impl RecentWork {
    /// Sums over the last `window`, which must be longer than 0.
    pub(super) fn new(window: Duration) -> Self {
        let part = (window / PARTS as u32).max(Duration::from_micros(1));
        Self {
            part,
            endpoints: BTreeMap::new(),
        }
    }

    /// Adds what the endpoint is given now.
    pub(super) fn add(&mut self, endpoint: EndpointId, amount: f64, now: Timestamp) {
        let number = self.number(now);
        let empty = [Part::default(); PARTS];
        let parts = self.endpoints.entry(endpoint).or_insert(empty);
        let part = &mut parts[number as usize % PARTS];
        if part.number != number {
            *part = Part {
                number,
                amount: 0.0,
            };
        }
        part.amount += amount;
    }

    /// What the endpoint was given within the window that ends now.
    pub(super) fn of(&self, endpoint: EndpointId, now: Timestamp) -> f64 {
        let number = self.number(now);
        let Some(parts) = self.endpoints.get(&endpoint) else {
            return 0.0;
        };
        let oldest = number.saturating_sub(PARTS as u64 - 1);
        let recent = parts
            .iter()
            .filter(|part| (oldest..=number).contains(&part.number));
        recent.map(|part| part.amount).sum()
    }

    fn number(&self, now: Timestamp) -> u64 {
        let part = u64::try_from(self.part.as_micros()).unwrap_or(u64::MAX);
        now.as_micros() / part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::uniform;

    #[test]
    fn forgets_what_is_older_than_the_window() {
        let fleet = uniform(2);
        let [first, second] = [0, 1].map(|at| fleet.endpoints()[at].id());
        let mut work = RecentWork::new(Duration::from_secs(180));
        let at = |seconds: u64| Timestamp::from_millis(seconds * 1_000);
        work.add(first, 5.0, at(2));
        work.add(first, 7.0, at(100));
        assert_eq!(work.of(first, at(100)), 12.0);
        assert_eq!(work.of(second, at(100)), 0.0);
        assert_eq!(work.of(first, at(179)), 12.0);
        assert_eq!(work.of(first, at(180)), 7.0, "a part at a time");
        work.add(first, 1.0, at(182));
        assert_eq!(
            work.of(first, at(279)),
            8.0,
            "the old part's place is taken"
        );
        assert_eq!(work.of(first, at(10_000)), 0.0);
        work.add(first, 3.0, at(1));
        assert_eq!(work.of(first, at(1)), 3.0, "a clock that jumps back");
    }
}
