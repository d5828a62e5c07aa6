//! What a connection remembers: its last response, so that it can be continued though no store has it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_govern::records::StoredItem;

use crate::serve::responses::keep::Past;

/// The most that is remembered, in bytes; a longer conversation is forgotten and its caller told to send it whole.
const BYTES_AT_MOST: usize = 32 << 20;

/// What a connection remembers.
#[derive(Clone, Debug, Default)]
pub(in crate::serve::responses) struct Memory(Arc<Mutex<Option<Last>>>);

#[derive(Debug)]
struct Last {
    id: String,
    items: Vec<StoredItem>,
    /// Whether the store has it too.
    is_kept: bool,
}

impl Memory {
    /// All that was said up to the response `id` and in it, where that is the last one here.
    pub(in crate::serve::responses) fn history(&self, id: &str) -> Option<Past> {
        let last = self.last();
        let last = last.as_ref().filter(|last| last.id == id)?;
        Some(Past {
            items: last.items.clone(),
            is_kept: last.is_kept,
        })
    }

    /// Remembers a response and all that was said before, in place of the last one; `is_kept` where the store has them.
    pub(in crate::serve::responses) fn remember<'a>(
        &self,
        id: &str,
        is_kept: bool,
        items: impl Iterator<Item = &'a StoredItem>,
    ) {
        let items: Vec<StoredItem> = items.cloned().collect();
        let bytes: usize = items.iter().map(|item| item.json.len()).sum();
        *self.last() = (bytes <= BYTES_AT_MOST).then(|| Last {
            id: id.to_owned(),
            items,
            is_kept,
        });
    }

    /// Forgets the response `id`.
    pub(super) fn forget(&self, id: &str) {
        let mut last = self.last();
        if last.as_ref().is_some_and(|last| last.id == id) {
            *last = None;
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Last>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(memory: &Memory, id: &str) -> Option<(usize, bool)> {
        let past = memory.history(id)?;
        Some((past.items.len(), past.is_kept))
    }

    #[test]
    fn the_last_response_alone_is_remembered() {
        let memory = Memory::default();
        let item = StoredItem::new("msg_1", "{}");
        memory.remember("resp_1", false, [&item].into_iter());
        assert_eq!(known(&memory, "resp_1"), Some((1, false)));
        memory.remember("resp_2", true, [&item, &item].into_iter());
        assert_eq!(known(&memory, "resp_1"), None);
        memory.forget("resp_1");
        assert_eq!(known(&memory, "resp_2"), Some((2, true)));
        memory.forget("resp_2");
        assert_eq!(known(&memory, "resp_2"), None);
    }

    #[test]
    fn what_is_too_long_is_forgotten() {
        let memory = Memory::default();
        let item = StoredItem::new("msg_1", &"x".repeat(1 << 20));
        memory.remember("resp_1", true, std::iter::repeat_n(&item, 33));
        assert_eq!(known(&memory, "resp_1"), None);
    }
}
