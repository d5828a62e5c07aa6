//! From a source to whoever makes endpoints of what it sees.

use std::sync::Arc;

use tokio::sync::watch;

use crate::Clock;

/// The most that one source may list; what lies behind is left out and counted.
pub const SEEN_AT_MOST: usize = 4_096;

/// What a source sees now, and how it fares.
#[derive(Clone, Debug)]
pub struct Sightings<T> {
    /// What it saw last.
    pub list: Arc<[T]>,
    /// Whether it has ever seen anything, be it an empty list.
    pub has_answered: bool,
    /// Whether its last try succeeded.
    pub is_up: bool,
    /// Tries that failed.
    pub failures: u64,
    /// How often the list changed.
    pub changes: u64,
    /// When it changed last, in Unix seconds.
    pub changed_unix: Option<f64>,
    /// How many of the last list were left out, as there were too many.
    pub left_out: usize,
}

impl<T> Default for Sightings<T> {
    fn default() -> Self {
        Self {
            list: Arc::new([]),
            has_answered: false,
            is_up: false,
            failures: 0,
            changes: 0,
            changed_unix: None,
            left_out: 0,
        }
    }
}

/// Where a source writes what it sees.
#[derive(Debug)]
pub struct Reporter<T>(watch::Sender<Sightings<T>>);

impl<T> Reporter<T> {
    /// A reporter, and where to read it.
    #[must_use]
    pub fn new() -> (Self, watch::Receiver<Sightings<T>>) {
        let (send, receive) = watch::channel(Sightings::default());
        (Self(send), receive)
    }

    /// The source sees `list`, in this order.
    pub fn saw(&self, list: Vec<T>)
    where
        T: PartialEq,
    {
        self.write(list, |old, new| *old != *new);
    }

    /// As [`saw`](Self::saw), where the source knows that something has changed.
    pub fn changed(&self, list: Vec<T>) {
        self.write(list, |_, _| true);
    }

    fn write(&self, mut list: Vec<T>, differs: impl FnOnce(&[T], &[T]) -> bool) {
        let left_out = list.len().saturating_sub(SEEN_AT_MOST);
        list.truncate(SEEN_AT_MOST);
        self.0.send_if_modified(|sightings| {
            let is_news = !sightings.has_answered || differs(&sightings.list, &list);
            let was_up = std::mem::replace(&mut sightings.is_up, true);
            sightings.has_answered = true;
            let were_left_out = std::mem::replace(&mut sightings.left_out, left_out);
            if is_news {
                sightings.list = list.into();
                sightings.changes += 1;
                sightings.changed_unix = Some(Clock::unix_seconds());
            }
            is_news || !was_up || left_out != were_left_out
        });
    }

    /// The source could not look. What it saw last stays.
    pub fn failed(&self) {
        self.0.send_modify(|sightings| {
            sightings.is_up = false;
            sightings.failures += 1;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_keep_the_list_and_only_changes_count() {
        let (reporter, mut heard) = Reporter::new();
        reporter.saw(vec![1, 2]);
        assert!(heard.has_changed().expect("open"));
        heard.mark_unchanged();
        reporter.saw(vec![1, 2]);
        assert!(!heard.has_changed().expect("open"), "nothing new");
        reporter.failed();
        let now = heard.borrow_and_update().clone();
        assert_eq!(
            (&*now.list, now.is_up, now.failures),
            (&[1, 2][..], false, 1)
        );
        reporter.saw(Vec::new());
        let now = heard.borrow_and_update().clone();
        assert_eq!((now.list.len(), now.is_up, now.changes), (0, true, 2));
    }

    #[test]
    fn a_source_lists_no_more_than_its_bound() {
        let (reporter, mut heard) = Reporter::new();
        reporter.changed(vec![0; SEEN_AT_MOST + 3]);
        let told = |heard: &mut watch::Receiver<Sightings<i32>>| {
            let now = heard.borrow_and_update();
            (now.list.len(), now.left_out, now.changes)
        };
        assert_eq!(told(&mut heard), (SEEN_AT_MOST, 3, 1));
        reporter.saw(vec![0; SEEN_AT_MOST + 1]);
        assert!(heard.has_changed().expect("open"), "fewer are left out");
        assert_eq!(told(&mut heard), (SEEN_AT_MOST, 1, 1));
    }
}
