//! All records in memory, in the order of their use.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::slot::Slot;
use crate::records::record::items_bytes;
use crate::records::{
    Caller, Change, History, Kind, Limits, Record, StoreError, StoredItem, Usage,
};

/// An owner, and the id of one of its records or items.
type Key = (Arc<str>, Arc<str>);

fn key(caller: Caller<'_>, id: &str) -> Key {
    (caller.owner.into(), id.into())
}

/// What lies under the store's lock.
#[derive(Debug, Default)]
pub(super) struct State {
    slots: HashMap<Key, Slot>,
    /// The longest unused first. One lifetime for all makes this also the order in which records end.
    by_use: BTreeMap<u64, Key>,
    /// Which record holds an item; the newest of several.
    holders: HashMap<Key, Key>,
    uses: u64,
    usage: Usage,
}

impl State {
    pub(super) fn usage(&self) -> Usage {
        Usage {
            records: self.slots.len() as u64,
            ..self.usage
        }
    }

    pub(super) fn slot(&self, caller: Caller<'_>, id: &str) -> Result<&Slot, StoreError> {
        self.slots
            .get(&key(caller, id))
            .filter(|slot| slot.expires_at > caller.now)
            .ok_or_else(|| StoreError::missing(id))
    }

    pub(super) fn put(
        &mut self,
        caller: Caller<'_>,
        record: Record,
        limits: &Limits,
    ) -> Result<(), StoreError> {
        self.sweep(caller.now);
        let key = key(caller, &record.head.id);
        if self.slots.contains_key(&key) {
            return Err(StoreError::Exists { id: record.head.id });
        }
        let slot = Slot::new(record);
        self.index(&key, slot.items());
        self.usage.bytes += slot.bytes;
        self.slots.insert(key.clone(), slot);
        self.touch(&key, limits.end(caller.now));
        self.make_room(limits);
        Ok(())
    }

    pub(super) fn update(
        &mut self,
        caller: Caller<'_>,
        id: &str,
        mut change: Change,
        limits: &Limits,
    ) -> Result<(), StoreError> {
        let slot = self.slot(caller, id)?;
        slot.allows(&change)?;
        change.output = slot.fresh(change.output)?;
        let old = slot.bytes;
        let body = &slot.head.body;
        let new_body = change.body.as_ref().unwrap_or(body);
        let bytes = old - body.len() as u64 + new_body.len() as u64 + items_bytes(&change.output);
        limits.fits(bytes)?;
        let key = key(caller, id);
        self.index(&key, &change.output);
        self.changing(&key).change(change, bytes);
        self.usage.bytes = self.usage.bytes - old + bytes;
        self.touch(&key, limits.end(caller.now));
        self.make_room(limits);
        Ok(())
    }

    pub(super) fn append(
        &mut self,
        caller: Caller<'_>,
        id: &str,
        items: Vec<StoredItem>,
        limits: &Limits,
    ) -> Result<(), StoreError> {
        let slot = self.conversation(caller, id)?;
        let items = slot.fresh(items)?;
        let added = items_bytes(&items);
        limits.fits(slot.bytes + added)?;
        let key = key(caller, id);
        self.index(&key, &items);
        self.changing(&key).append(items);
        self.usage.bytes += added;
        self.touch(&key, limits.end(caller.now));
        self.make_room(limits);
        Ok(())
    }

    pub(super) fn delete(&mut self, caller: Caller<'_>, id: &str) -> Result<(), StoreError> {
        self.slot(caller, id)?;
        self.remove(&key(caller, id));
        Ok(())
    }

    pub(super) fn delete_item(
        &mut self,
        caller: Caller<'_>,
        id: &str,
        item: &str,
        limits: &Limits,
    ) -> Result<(), StoreError> {
        self.conversation(caller, id)?;
        let key = key(caller, id);
        let removed = self.changing(&key).remove(item);
        let removed = removed.ok_or_else(|| StoreError::item_missing(id, item))?;
        self.usage.bytes -= removed.bytes();
        self.forget(&key, &removed.id);
        self.touch(&key, limits.end(caller.now));
        Ok(())
    }

    pub(super) fn history(
        &mut self,
        caller: Caller<'_>,
        id: &str,
        limits: &Limits,
    ) -> Result<History, StoreError> {
        let line = self.line(caller, id, limits)?;
        let last = &line[0];
        let history = History {
            kind: last.head.kind,
            status: last.head.status,
            records: line.len(),
            items: line
                .iter()
                .rev()
                .flat_map(|slot| slot.items().cloned())
                .collect(),
        };
        let ids: Vec<String> = line.iter().map(|slot| slot.head.id.clone()).collect();
        // The oldest is touched last: an answer is worth nothing without what came before it.
        for id in ids {
            self.touch(&key(caller, &id), limits.end(caller.now));
        }
        Ok(history)
    }

    /// The record and those it continues, newest first.
    fn line(
        &self,
        caller: Caller<'_>,
        id: &str,
        limits: &Limits,
    ) -> Result<Vec<&Slot>, StoreError> {
        let mut line = Vec::new();
        let mut bytes = 0;
        let mut next = Some(id);
        while let Some(id) = next {
            let slot = self.slot(caller, id)?;
            bytes += slot.bytes;
            line.push(slot);
            if line.len() > limits.history_records as usize || bytes > limits.history_bytes {
                return Err(limits.too_long());
            }
            next = slot.head.previous.as_deref();
        }
        Ok(line)
    }

    pub(super) fn find_item(&self, caller: Caller<'_>, id: &str) -> Option<StoredItem> {
        let holder = self.holders.get(&key(caller, id))?;
        self.slot(caller, &holder.1).ok()?.find(id)
    }

    fn conversation(&self, caller: Caller<'_>, id: &str) -> Result<&Slot, StoreError> {
        let slot = self.slot(caller, id)?;
        if slot.head.kind != Kind::Conversation {
            return Err(StoreError::missing(id));
        }
        Ok(slot)
    }

    fn changing(&mut self, key: &Key) -> &mut Slot {
        self.slots.get_mut(key).expect("the record was just found")
    }

    fn touch(&mut self, key: &Key, expires_at: i64) {
        self.uses += 1;
        let used = self.uses;
        let slot = self.changing(key);
        slot.expires_at = expires_at;
        let before = std::mem::replace(&mut slot.used, used);
        self.by_use.remove(&before);
        self.by_use.insert(used, key.clone());
    }

    fn index<'a>(&mut self, key: &Key, items: impl IntoIterator<Item = &'a StoredItem>) {
        for item in items {
            let item = (Arc::clone(&key.0), Arc::clone(&item.id));
            self.holders.insert(item, key.clone());
        }
    }

    fn forget(&mut self, holder: &Key, item: &Arc<str>) {
        let item = (Arc::clone(&holder.0), Arc::clone(item));
        if self.holders.get(&item) == Some(holder) {
            self.holders.remove(&item);
        }
    }

    fn remove(&mut self, key: &Key) {
        let Some(slot) = self.slots.remove(key) else {
            return;
        };
        self.by_use.remove(&slot.used);
        self.usage.bytes -= slot.bytes;
        for item in slot.items() {
            self.forget(key, &item.id);
        }
    }

    fn make_room(&mut self, limits: &Limits) {
        while self.usage.bytes > limits.bytes || self.slots.len() as u64 > limits.records {
            let Some((_, oldest)) = self.by_use.pop_first() else {
                return;
            };
            self.remove(&oldest);
            self.usage.evicted += 1;
        }
    }

    /// Removes what has ended. A clock that was set back may leave some of it for later; reading checks each by itself.
    pub(super) fn sweep(&mut self, now: i64) {
        while let Some(first) = self.by_use.first_entry() {
            let ended = self
                .slots
                .get(first.get())
                .is_none_or(|slot| slot.expires_at <= now);
            if !ended {
                return;
            }
            let oldest = first.remove();
            self.remove(&oldest);
            self.usage.expired += 1;
        }
    }
}
