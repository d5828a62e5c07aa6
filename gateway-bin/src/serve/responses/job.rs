//! Responses that are made in the background.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use gateway_proto::responses::EventLog;
use tokio::sync::{Notify, watch};

use crate::gate::Gate;

/// Bytes of one response's events that are held for callers who come back.
const LOG_BYTES: usize = 8 << 20;

/// Responses that have ended and whose events are still held.
const ENDED_AT_MOST: usize = 64;

/// Bytes of their events, all together.
const ENDED_BYTES: usize = 64 << 20;

/// How far a response has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The number of the next event.
    pub(super) next: u64,
    /// How it ended, once it has.
    pub(super) end: Option<End>,
}

/// How a response in the background ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its events have a good end.
    Whole,
    /// It broke or was called off.
    Broken,
}

/// A response that is made in the background.
#[derive(Debug)]
pub(super) struct Job {
    log: Mutex<EventLog>,
    /// Bytes of all its events.
    bytes: AtomicUsize,
    progress: watch::Sender<Progress>,
    off: Notify,
}

impl Job {
    pub(super) fn new() -> Self {
        Self {
            bytes: AtomicUsize::new(0),
            log: Mutex::new(EventLog::new(LOG_BYTES)),
            progress: watch::Sender::default(),
            off: Notify::new(),
        }
    }

    /// Takes in events, as lines.
    pub(super) fn push(&self, lines: &[u8]) {
        self.bytes.fetch_add(lines.len(), Relaxed);
        let next = {
            let mut log = self.log();
            log.push(lines);
            log.next_sequence()
        };
        self.progress.send_modify(|progress| progress.next = next);
    }

    /// Nothing more will come.
    pub(super) fn end(&self, end: End) {
        self.progress
            .send_modify(|progress| progress.end = Some(end));
    }

    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(super) fn log(&self) -> MutexGuard<'_, EventLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls it off. Whoever makes it hears of that once.
    pub(super) fn call_off(&self) {
        self.off.notify_one();
    }

    /// Ends when it is called off.
    pub(super) async fn called_off(&self) {
        self.off.notified().await;
    }

    /// Whether nothing more will come.
    pub(super) fn is_over(&self) -> bool {
        self.progress.borrow().end.is_some()
    }

    /// Bytes of events that are held.
    fn held_bytes(&self) -> usize {
        self.bytes.load(Relaxed).min(LOG_BYTES)
    }

    /// Ends when nothing more will come.
    pub(super) async fn over(&self) {
        let ended = self
            .progress()
            .wait_for(|progress| progress.end.is_some())
            .await
            .map(drop);
        // The sender is this job's own.
        ended.unwrap_or_default();
    }
}

/// Whose response, and which.
type Name = (Arc<str>, String);

/// Responses that are made in the background, and those that were a while ago.
pub(super) struct Jobs {
    limit: usize,
    table: Mutex<Table>,
    running: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Table {
    jobs: HashMap<Name, Arc<Job>>,
    /// The longest ended first, each with the bytes it holds.
    ended: VecDeque<(Name, usize)>,
    ended_bytes: usize,
}

impl Table {
    /// Keeps the events of a job that has ended, in place of older ones where it must.
    fn retire(&mut self, name: Name, bytes: usize) {
        self.ended.push_back((name, bytes));
        self.ended_bytes += bytes;
        while self.ended.len() > ENDED_AT_MOST || self.ended_bytes > ENDED_BYTES {
            let Some((oldest, bytes)) = self.ended.pop_front() else {
                return;
            };
            self.ended_bytes -= bytes;
            self.jobs.remove(&oldest);
        }
    }
}

impl Jobs {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            table: Mutex::default(),
            running: watch::Sender::new(0),
        }
    }

    /// How many are being made.
    pub(super) fn running(&self) -> usize {
        *self.running.borrow()
    }

    /// Ends when none is being made.
    pub(super) async fn idle(&self) {
        let idle = self
            .running
            .subscribe()
            .wait_for(|count| *count == 0)
            .await
            .map(drop);
        // The sender is this table's own.
        idle.unwrap_or_default();
    }

    /// The response `id` of `owner`, where its events are held.
    pub(super) fn find(&self, owner: &Arc<str>, id: &str) -> Option<Arc<Job>> {
        let name = (Arc::clone(owner), id.to_owned());
        self.table().jobs.get(&name).cloned()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, name: Name, bytes: usize) {
        self.table().retire(name, bytes);
        self.running.send_modify(|count| *count -= 1);
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs")
            .field("limit", &self.limit)
            .field("running", &self.running())
            .finish_non_exhaustive()
    }
}

/// A place among the responses that are being made. Dropped, it is free again.
pub(super) struct Seat {
    pub(super) gate: Arc<Gate>,
    pub(super) job: Arc<Job>,
    name: Name,
}

impl Seat {
    /// A place for the response `id` of `owner`; `None` where all are taken.
    pub(super) fn take(gate: &Arc<Gate>, owner: &Arc<str>, id: &str) -> Option<Self> {
        let jobs = &gate.responses.jobs;
        let taken = jobs.running.send_if_modified(|count| {
            let free = *count < jobs.limit;
            *count += usize::from(free);
            free
        });
        if !taken {
            return None;
        }
        let (job, name) = (Arc::new(Job::new()), (Arc::clone(owner), id.to_owned()));
        jobs.table().jobs.insert(name.clone(), Arc::clone(&job));
        Some(Self {
            gate: Arc::clone(gate),
            job,
            name,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.job.end_if_open();
        let bytes = self.job.held_bytes();
        self.gate.responses.jobs.leave(self.name.clone(), bytes);
    }
}

impl Job {
    /// Whoever follows a response that nobody makes any more must not wait for ever.
    fn end_if_open(&self) {
        self.progress.send_if_modified(|progress| {
            let open = progress.end.is_none();
            progress.end.get_or_insert(End::Broken);
            open
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_is_held_within_bounds() {
        let mut table = Table::default();
        let mut retire = |number: usize, bytes: usize| {
            let name: Name = ("one".into(), number.to_string());
            table.jobs.insert(name.clone(), Arc::new(Job::new()));
            table.retire(name, bytes);
            (table.jobs.len(), table.ended_bytes)
        };
        for number in 1..=ENDED_AT_MOST {
            assert_eq!(retire(number, 10).0, number);
        }
        assert_eq!(retire(100, 10).0, ENDED_AT_MOST);
        for number in 101..120 {
            assert!(retire(number, LOG_BYTES).1 <= ENDED_BYTES);
        }
        assert_eq!(table.jobs.len(), ENDED_BYTES / LOG_BYTES);
    }
}
