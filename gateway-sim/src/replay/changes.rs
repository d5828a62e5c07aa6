//! What changed in an engine's caches since somebody asked.

use gateway_core::decider::KvNote;

use gateway_core::IdMap;

/// Changes of both tiers, in the order in which they happened.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) stored: Vec<u64>,
    pub(super) removed: Vec<u64>,
    pub(super) host_stored: Vec<u64>,
    pub(super) host_removed: Vec<u64>,
}

impl Changes {
    /// The net changes as one note, none where there are none. Nothing is left behind.
    pub(super) fn take(&mut self, now: f64, engine: u32) -> Option<KvNote> {
        cancel(&mut self.stored, &mut self.removed);
        cancel(&mut self.host_stored, &mut self.host_removed);
        let lists = [
            &mut self.stored,
            &mut self.removed,
            &mut self.host_stored,
            &mut self.host_removed,
        ];
        if lists.iter().all(|list| list.is_empty()) {
            return None;
        }
        let [stored, removed, host_stored, host_removed] = lists.map(std::mem::take);
        Some(KvNote {
            now,
            engine,
            stored,
            removed,
            host_stored,
            host_removed,
        })
    }
}

/// Takes out pairs: a block that came and went, or went and came back, is where it was.
fn cancel(came: &mut Vec<u64>, went: &mut Vec<u64>) {
    if came.is_empty() || went.is_empty() {
        return;
    }
    let mut left: IdMap<u64, u32> = IdMap::default();
    for id in went.iter() {
        *left.entry(*id).or_default() += 1;
    }
    let mut take = |id: &u64| {
        let count = left.get_mut(id).filter(|count| **count > 0);
        count.map(|count| *count -= 1).is_some()
    };
    came.retain(|id| !take(id));
    went.retain(|id| take(id));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_and_went_is_not_told() {
        let mut changes = Changes {
            stored: vec![1, 2, 3],
            removed: vec![2, 4],
            host_stored: vec![5, 6, 5],
            host_removed: vec![5],
        };
        let note = changes.take(1.5, 3).expect("something is left");
        assert_eq!((note.now, note.engine), (1.5, 3));
        assert_eq!((note.stored, note.removed), (vec![1, 3], vec![4]));
        assert_eq!((note.host_stored, note.host_removed), (vec![6, 5], vec![]));
        assert_eq!(changes.take(2.0, 3), None);
    }
}
