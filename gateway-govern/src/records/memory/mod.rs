//! Records in memory.

mod slot;
mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gateway_proto::responses::ListQuery;

use super::{
    Caller, Change, Head, History, ItemPage, Limits, Record, Store, StoreError, StoredItem, Usage,
};
use state::State;

/// Keeps records until the process ends. Every call is a short section under one lock.
#[derive(Debug)]
pub struct MemoryStore {
    limits: Limits,
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
        }
    }

    /// No call leaves the state half changed, so that one that panicked does no harm.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn put(&self, caller: Caller<'_>, record: Record) -> Result<(), StoreError> {
        let record = record.checked(caller.owner)?;
        self.limits.fits(record.bytes())?;
        self.state().put(caller, record, &self.limits)
    }

    async fn head(&self, caller: Caller<'_>, id: &str) -> Result<Head, StoreError> {
        Ok(self.state().slot(caller, id)?.head.clone())
    }

    async fn update(&self, caller: Caller<'_>, id: &str, change: Change) -> Result<(), StoreError> {
        let change = change.checked()?;
        self.state().update(caller, id, change, &self.limits)
    }

    async fn delete(&self, caller: Caller<'_>, id: &str) -> Result<(), StoreError> {
        self.state().delete(caller, id)
    }

    async fn append(
        &self,
        caller: Caller<'_>,
        id: &str,
        items: Vec<StoredItem>,
    ) -> Result<(), StoreError> {
        self.state().append(caller, id, items, &self.limits)
    }

    async fn list(
        &self,
        caller: Caller<'_>,
        id: &str,
        query: &ListQuery,
    ) -> Result<ItemPage, StoreError> {
        self.state().slot(caller, id)?.page(query)
    }

    async fn item(
        &self,
        caller: Caller<'_>,
        id: &str,
        item: &str,
    ) -> Result<StoredItem, StoreError> {
        let state = self.state();
        let slot = state.slot(caller, id)?;
        let found = slot.input.iter().find(|found| &*found.id == item);
        found
            .cloned()
            .ok_or_else(|| StoreError::item_missing(id, item))
    }

    async fn delete_item(
        &self,
        caller: Caller<'_>,
        id: &str,
        item: &str,
    ) -> Result<(), StoreError> {
        self.state().delete_item(caller, id, item, &self.limits)
    }

    async fn history(&self, caller: Caller<'_>, id: &str) -> Result<History, StoreError> {
        self.state().history(caller, id, &self.limits)
    }

    async fn find_items(
        &self,
        caller: Caller<'_>,
        ids: &[&str],
    ) -> Result<Vec<StoredItem>, StoreError> {
        let state = self.state();
        let found = ids.iter().filter_map(|id| state.find_item(caller, id));
        Ok(found.collect())
    }

    async fn sweep(&self, now: i64) -> Result<Usage, StoreError> {
        let mut state = self.state();
        state.sweep(now);
        Ok(state.usage())
    }

    fn usage(&self) -> Usage {
        self.state().usage()
    }
}
