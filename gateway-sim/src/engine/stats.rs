//! What tests want to know of the engine beyond its metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;

/// Counts since the engine started, and what is in it now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SimStats {
    /// Connections accepted.
    pub connections: u64,
    /// Requests for generation that arrived, those with errors included.
    pub requests: u64,
    /// Sequences that the scheduler took.
    pub submitted: u64,
    /// Sequences that got all their tokens.
    pub finished: u64,
    /// Sequences withdrawn because the client left or the reply ended early.
    pub aborted: u64,
    /// Requests refused because the engine was busy.
    pub rejected: u64,
    /// Sequences in the batch now.
    pub running: u32,
    /// Sequences waiting now.
    pub waiting: u32,
    /// KV blocks of finished requests that wait for another engine to fetch them. What never goes down leaks.
    pub blocks_held: u32,
    /// The requests that these blocks are of.
    pub handoffs_held: u32,
    /// Requests whose blocks were freed at the end of their lease, because no engine fetched them.
    pub handoffs_expired: u64,
    /// Questions of other engines for blocks that are not, or no longer, held.
    pub handoffs_missed: u64,
    /// Prompts whose KV came from another engine.
    pub pulls: u64,
    /// Prompts whose KV came from blocks that hold something else by now, so that the answer is wrong.
    pub pulls_spoilt: u64,
    /// Prompts whose KV did not come.
    pub pulls_failed: u64,
    /// Batches of KV events that were lost before they were sent.
    pub kv_batches_dropped: u64,
}

/// The last request for generation as it arrived.
#[derive(Clone, Debug, Default)]
pub struct LastRequest {
    /// Its path.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) connections: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) submitted: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) kv_batches_dropped: AtomicU64,
    /// Names given to requests that had none.
    pub(super) names: AtomicU64,
    last: Mutex<LastRequest>,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remember(&self, path: &str, headers: &HeaderMap, body: &Bytes) {
        let last = LastRequest {
            path: path.to_owned(),
            headers: headers.clone(),
            body: body.clone(),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }

    pub(super) fn last(&self) -> LastRequest {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
