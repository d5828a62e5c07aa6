//! How far an experiment is.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts that grow while [`run`](super::run) runs; another thread may read them.
#[derive(Debug, Default)]
pub struct Progress {
    requests: AtomicU64,
    replays: AtomicU64,
    done: AtomicU64,
    jobs: AtomicU64,
}

impl Progress {
    /// Requests routed so far, over all replays.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Replays that have ended.
    #[must_use]
    pub fn replays(&self) -> u64 {
        self.replays.load(Relaxed)
    }

    /// Jobs done, and jobs in all. A search for capacity is one job of many replays.
    #[must_use]
    pub fn jobs(&self) -> (u64, u64) {
        (self.done.load(Relaxed), self.jobs.load(Relaxed))
    }

    pub(super) fn expect(&self, jobs: usize) {
        self.jobs.fetch_add(jobs as u64, Relaxed);
    }

    pub(super) fn job(&self) {
        self.done.fetch_add(1, Relaxed);
    }

    pub(super) fn replay(&self) {
        self.replays.fetch_add(1, Relaxed);
    }

    pub(super) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }
}
