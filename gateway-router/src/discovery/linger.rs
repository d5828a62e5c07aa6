//! What a flapping source saw, kept until it is surely gone.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::Seen;

/// Keeps what is missing from good answers for a while. What appears under a known name with another address takes its
/// place at once: the old one is not coming back under that name.
#[derive(Debug)]
pub(super) struct Linger {
    /// How long something may be missing from answers that name others.
    some: Duration,
    /// How long answers may name nobody.
    all: Duration,
    /// Since when they have named nobody.
    nobody_since: Option<Instant>,
    known: BTreeMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    seen: Seen,
    /// Since when answers have named others but not this one. An answer that names nobody says nothing of it.
    missing_since: Option<Instant>,
}

impl Linger {
    pub(super) fn new(some: Duration, all: Duration) -> Self {
        Self {
            some,
            all,
            nobody_since: None,
            known: BTreeMap::new(),
        }
    }

    /// Whether somebody was missing from the last answer and is still listed.
    pub(super) fn waits(&self) -> bool {
        let is_missing = |known: &Known| known.missing_since.is_some();
        let names_nobody = self.nobody_since.is_some() && !self.known.is_empty();
        names_nobody || self.known.values().any(is_missing)
    }

    /// A good answer: what is to be listed now, by name.
    pub(super) fn answered(&mut self, answer: Vec<Seen>, now: Instant) -> Vec<Seen> {
        if answer.is_empty() {
            self.named_nobody(now);
        } else {
            self.named(answer, now);
        }
        let listed = self.known.values();
        listed.map(|known| known.seen.clone()).collect()
    }

    fn named_nobody(&mut self, now: Instant) {
        let since = *self.nobody_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= self.all {
            self.known.clear();
        }
        for known in self.known.values_mut() {
            known.missing_since = None;
        }
    }

    fn named(&mut self, answer: Vec<Seen>, now: Instant) {
        self.nobody_since = None;
        for known in self.known.values_mut() {
            known.missing_since.get_or_insert(now);
        }
        for seen in answer {
            let known = Known {
                seen,
                missing_since: None,
            };
            self.known.insert(known.seen.name.clone(), known);
        }
        self.known.retain(|_, known| {
            let missing = known.missing_since;
            missing.is_none_or(|since| now.saturating_duration_since(since) < self.some)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(names: &[&str]) -> Vec<Seen> {
        let one = |name: &&str| Seen {
            name: (*name).to_owned(),
            host: (*name).to_owned(),
            port: 1,
            labels: BTreeMap::new(),
            process: None,
        };
        names.iter().map(one).collect()
    }

    #[test]
    fn what_is_missing_stays_for_a_while_and_empty_answers_for_longer() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut linger = Linger::new(Duration::from_secs(10), Duration::from_secs(100));
        let mut names = |names: &[&str], seconds| {
            let listed = linger.answered(seen(names), at(seconds));
            listed.into_iter().map(|one| one.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&["a", "b"], 0), ["a", "b"]);
        assert_eq!(names(&["a"], 1), ["a", "b"], "a part of the answer");
        assert_eq!(names(&["a", "b"], 10), ["a", "b"]);
        assert_eq!(names(&["a"], 12), ["a", "b"], "the time begins anew");
        assert_eq!(names(&["a"], 22), ["a"]);
        assert_eq!(names(&[], 30), ["a"]);
        assert_eq!(names(&[], 129), ["a"]);
        assert_eq!(names(&[], 130), [""; 0], "empty for so long is empty");
    }

    #[test]
    fn those_who_come_back_first_do_not_drive_out_the_others() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut linger = Linger::new(Duration::from_secs(10), Duration::from_secs(100));
        let mut count = |names: &[&str], seconds| linger.answered(seen(names), at(seconds)).len();
        assert_eq!(count(&["a", "b"], 0), 2);
        assert_eq!(count(&["a"], 5), 2);
        assert_eq!(count(&[], 6), 2);
        assert_eq!(
            count(&["a"], 60),
            2,
            "missing from answers with names for no time"
        );
        assert_eq!(count(&["a"], 70), 1);
    }

    #[test]
    fn another_address_under_the_same_name_counts_at_once() {
        let now = Instant::now();
        let mut linger = Linger::new(Duration::from_secs(10), Duration::from_secs(10));
        linger.answered(seen(&["a"]), now);
        let mut moved = seen(&["a"]);
        moved[0].host = "elsewhere".to_owned();
        assert_eq!(linger.answered(moved.clone(), now), moved);
        assert!(!linger.waits());
    }
}
