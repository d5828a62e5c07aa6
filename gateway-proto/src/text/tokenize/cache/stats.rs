//! What the cache has done and holds.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start, and the present size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Segments found.
    pub hits: u64,
    /// Segments that had to be encoded.
    pub misses: u64,
    /// Tokens of the segments found.
    pub cached_tokens: u64,
    /// Tokens that had to be encoded, those behind the last boundary included.
    pub encoded_tokens: u64,
    /// Segments that were dropped for others.
    pub evictions: u64,
    /// Segments that were too large to keep.
    pub rejected: u64,
    /// Segments held.
    pub entries: usize,
    /// What they take, in bytes.
    pub bytes: usize,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) cached_tokens: AtomicU64,
    pub(super) encoded_tokens: AtomicU64,
    pub(super) evictions: AtomicU64,
    pub(super) rejected: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, more: usize) {
        counter.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> CacheStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheStats {
            hits: read(&self.hits),
            misses: read(&self.misses),
            cached_tokens: read(&self.cached_tokens),
            encoded_tokens: read(&self.encoded_tokens),
            evictions: read(&self.evictions),
            rejected: read(&self.rejected),
            entries: 0,
            bytes: 0,
        }
    }
}
