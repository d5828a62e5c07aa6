//! Who waits for which request's parts.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    task::{Context, Poll},
};

use bytes::Bytes;
use gateway_proto::engines::transfer::mindie::{Part, What};

use super::{
    link::Results,
    slot::{Lost, Slot},
    status::{Counts, DroppedPart, ResultsStatus},
};

/// The most requests that wait at one engine at a time.
const WAITING_AT_MOST: usize = 16_384;

/// Why a request can have no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSeat {
    /// The engine's answer is not open.
    Down,
    /// Too many wait, or one of that name does.
    Full,
}

/// The requests that wait at one engine.
#[derive(Debug, Default)]
pub(super) struct Board {
    table: Mutex<Table>,
    pub(super) counts: Counts,
}

#[derive(Debug, Default)]
struct Table {
    is_up: bool,
    waiting: HashMap<String, Arc<Slot>>,
}

impl Board {
    /// The engine's answer is open.
    pub(super) fn up(&self) {
        self.counts.opened.fetch_add(1, Relaxed);
        self.table().is_up = true;
    }

    /// It is not any more: whoever waits, waits for nothing.
    pub(super) fn down(&self) {
        let mut table = self.table();
        table.is_up = false;
        let lost = std::mem::take(&mut table.waiting);
        drop(table);
        for slot in lost.values() {
            slot.lose(Lost::Link);
        }
    }

    /// Gives a part to whom it belongs.
    pub(super) fn give(&self, part: Part) {
        let Part { id, what, body } = part;
        let mut table = self.table();
        let slot = match what {
            What::Data => table.waiting.get(&id).cloned(),
            What::Last | What::Error | What::Retry => table.waiting.remove(&id),
        };
        let Some(slot) = slot else {
            drop(table);
            return self.counts.drop_parts(DroppedPart::UnknownRequest, 1);
        };
        if !slot.put(what, body) {
            table.waiting.remove(&id);
            self.counts.drop_parts(DroppedPart::SlowReader, 1);
        }
    }

    pub(super) fn enlist(&self, id: &str) -> Result<Arc<Slot>, NoSeat> {
        let mut table = self.table();
        if !table.is_up {
            return Err(NoSeat::Down);
        }
        if table.waiting.len() >= WAITING_AT_MOST || table.waiting.contains_key(id) {
            return Err(NoSeat::Full);
        }
        let slot = Arc::<Slot>::default();
        table.waiting.insert(id.to_owned(), Arc::clone(&slot));
        Ok(slot)
    }

    pub(super) fn status(&self) -> ResultsStatus {
        let table = self.table();
        self.counts.read(table.is_up, table.waiting.len())
    }

    /// A request waits no longer.
    fn leave(&self, id: &str, slot: &Arc<Slot>) {
        let mut table = self.table();
        // Of a request that was given up meanwhile the name may be another's.
        if table
            .waiting
            .get(id)
            .is_some_and(|known| Arc::ptr_eq(known, slot))
        {
            table.waiting.remove(id);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's place among those who wait. Dropped, it waits no longer.
pub(crate) struct Seat {
    id: String,
    slot: Arc<Slot>,
    /// Kept, so that a reload does not end what is under way.
    results: Arc<Results>,
}

impl Seat {
    pub(super) fn new(id: String, slot: Arc<Slot>, results: Arc<Results>) -> Self {
        Self { id, slot, results }
    }

    /// The name under which the engine knows the request.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The next part.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Result<(What, Bytes), Lost>> {
        self.slot.poll_take(cx)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.results.board().leave(&self.id, &self.slot);
    }
}
