//! One record in memory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gateway_proto::responses::{ListQuery, Order};

use crate::records::record::distinct;
use crate::records::{Change, Head, ItemPage, Kind, Record, StoreError, StoredItem};

/// One record, and what the store keeps about it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) head: Head,
    pub(super) input: Vec<StoredItem>,
    pub(super) output: Vec<StoredItem>,
    /// The JSON of both by id, so that an item is found without a search.
    by_id: HashMap<Arc<str>, Arc<str>>,
    pub(super) bytes: u64,
    /// Its place in the order of use.
    pub(super) used: u64,
    /// Seconds since 1970.
    pub(super) expires_at: i64,
}

impl Slot {
    pub(super) fn new(record: Record) -> Self {
        let bytes = record.bytes();
        let items = record.input.iter().chain(&record.output);
        Self {
            by_id: items.map(named).collect(),
            head: record.head,
            input: record.input,
            output: record.output,
            bytes,
            used: 0,
            expires_at: 0,
        }
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &StoredItem> {
        self.input.iter().chain(&self.output)
    }

    /// The item `id`, of the input or the output.
    pub(super) fn find(&self, id: &str) -> Option<StoredItem> {
        let (id, json) = self.by_id.get_key_value(id)?;
        Some(StoredItem {
            id: Arc::clone(id),
            json: Arc::clone(json),
        })
    }

    /// Those of `items` that are new here.
    pub(super) fn fresh(&self, items: Vec<StoredItem>) -> Result<Vec<StoredItem>, StoreError> {
        let items = distinct(items, &mut HashSet::new())?;
        let fresh = |item: &StoredItem| !self.by_id.contains_key(&item.id);
        Ok(items.into_iter().filter(fresh).collect())
    }

    /// Whether `change` may be made.
    pub(super) fn allows(&self, change: &Change) -> Result<(), StoreError> {
        if change.status.is_none() {
            return Ok(());
        }
        if self.head.kind == Kind::Conversation {
            return Err(StoreError::missing(&self.head.id));
        }
        match self.head.status {
            Some(status) if status.ended() => Err(StoreError::Ended {
                id: self.head.id.clone(),
                status,
            }),
            _ => Ok(()),
        }
    }

    /// Makes a change that was allowed, and leaves the record with `bytes`.
    pub(super) fn change(&mut self, change: Change, bytes: u64) {
        self.head.status = change.status.or(self.head.status);
        if let Some(body) = change.body {
            self.head.body = body;
        }
        self.by_id.extend(change.output.iter().map(named));
        self.output.extend(change.output);
        self.bytes = bytes;
    }

    /// Adds items that are new here.
    pub(super) fn append(&mut self, items: Vec<StoredItem>) {
        for item in items {
            self.by_id.extend([named(&item)]);
            self.bytes += item.bytes();
            self.input.push(item);
        }
    }

    pub(super) fn remove(&mut self, item: &str) -> Option<StoredItem> {
        let place = self.input.iter().position(|found| &*found.id == item)?;
        let item = self.input.remove(place);
        self.by_id.remove(&item.id);
        self.bytes -= item.bytes();
        Some(item)
    }

    pub(super) fn page(&self, query: &ListQuery) -> Result<ItemPage, StoreError> {
        let after = match &query.after {
            None => None,
            Some(id) => {
                let place = self.input.iter().position(|item| *item.id == **id);
                Some(place.ok_or_else(|| StoreError::item_missing(&self.head.id, id))?)
            }
        };
        let (items, rest) = match query.order {
            Order::Ascending => {
                let rest = &self.input[after.map_or(0, |place| place + 1)..];
                let items = rest.iter().take(query.limit).cloned().collect();
                (items, rest.len())
            }
            Order::Descending => {
                let rest = &self.input[..after.unwrap_or(self.input.len())];
                let items = rest.iter().rev().take(query.limit).cloned().collect();
                (items, rest.len())
            }
        };
        Ok(ItemPage {
            items,
            more: rest > query.limit,
        })
    }
}

fn named(item: &StoredItem) -> (Arc<str>, Arc<str>) {
    (Arc::clone(&item.id), Arc::clone(&item.json))
}
