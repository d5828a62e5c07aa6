//! What this router has in flight at one endpoint.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Counters of our own requests at one endpoint, changed only by booking and by the guard that releases it.
///
/// The fields are read one by one, so a reader may see a request in one counter and not yet in another; each counter by
/// itself is exact.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    requests: AtomicU32,
    prefilling: AtomicU32,
    queued_tokens: AtomicU64,
    context_tokens: AtomicU64,
}

/// This router's own requests at one endpoint, as counted at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Requests sent and not finished.
    pub requests: u32,
    /// Of those, the requests that wait for their first token.
    pub prefilling: u32,
    /// Prompt tokens still to be computed for those.
    pub queued_tokens: u64,
    /// Tokens of KV cache that all requests in flight are expected to hold when they end.
    pub context_tokens: u64,
    /// Tokens of KV cache that they hold now, shared prefixes counted once.
    pub active_tokens: u64,
}

impl Ledger {
    /// The counters now; `active_tokens` is not among them.
    pub(super) fn read(&self) -> InFlight {
        InFlight {
            requests: self.requests.load(Relaxed),
            prefilling: self.prefilling.load(Relaxed),
            queued_tokens: self.queued_tokens.load(Relaxed),
            context_tokens: self.context_tokens.load(Relaxed),
            active_tokens: 0,
        }
    }

    pub(super) fn enter(&self, queued_tokens: u64, context_tokens: u64) {
        self.requests.fetch_add(1, Relaxed);
        self.prefilling.fetch_add(1, Relaxed);
        self.queued_tokens.fetch_add(queued_tokens, Relaxed);
        self.context_tokens.fetch_add(context_tokens, Relaxed);
    }

    pub(super) fn prefilled(&self, queued_tokens: u64) {
        self.prefilling.fetch_sub(1, Relaxed);
        self.queued_tokens.fetch_sub(queued_tokens, Relaxed);
    }

    pub(super) fn leave(&self, context_tokens: u64) {
        self.requests.fetch_sub(1, Relaxed);
        self.context_tokens.fetch_sub(context_tokens, Relaxed);
    }
}
