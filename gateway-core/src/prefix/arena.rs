//! Memory of the index: one homogeneous pool of 64-byte units made of atomic words.
//!
//! Every part of a run is one unit, so nothing fragments, and a reader that meets a recycled unit reads numbers that
//! make no sense but never memory that is gone. Who reads must check afterwards that nothing moved (see `run`).
//!
//! Loads acquire and stores release throughout: a reader that sees one store sees all that the writer did before it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Words of 64 bits in a unit.
pub(super) const UNIT_WORDS: usize = 8;
/// Bytes of a unit: one cache line.
pub(super) const UNIT_BYTES: usize = UNIT_WORDS * size_of::<u64>();
/// Unit numbers have 26 bits, so that a block's place fits 32.
pub(super) const UNIT_LIMIT: usize = 1 << 26;
/// The number that stands for "no unit".
pub(super) const NO_UNIT: u32 = 0;

/// One cache line of atomic words.
#[derive(Default)]
#[repr(align(64))]
pub(super) struct Unit([AtomicU64; UNIT_WORDS]);

impl Unit {
    pub(super) fn load(&self, word: usize) -> u64 {
        self.0[word].load(Ordering::Acquire)
    }

    pub(super) fn store(&self, word: usize, value: u64) {
        self.0[word].store(value, Ordering::Release);
    }

    /// Replaces `before` by `after`, or nothing if the word is another one.
    pub(super) fn exchange(&self, word: usize, before: u64, after: u64) {
        // Whoever lost the race has been overtaken by a newer value: nothing to do.
        let _ = self.0[word].compare_exchange(before, after, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Replaces the low half of a word that only the writer stores to.
    pub(super) fn store_low(&self, word: usize, value: u32) {
        self.store(
            word,
            self.load(word) & !u64::from(u32::MAX) | u64::from(value),
        );
    }

    /// Replaces the high half of a word that only the writer stores to.
    pub(super) fn store_high(&self, word: usize, value: u32) {
        self.store(
            word,
            self.load(word) & u64::from(u32::MAX) | u64::from(value) << 32,
        );
    }
}

/// The low half of a word.
pub(super) fn low(word: u64) -> u32 {
    word as u32
}

/// The high half of a word.
pub(super) fn high(word: u64) -> u32 {
    (word >> 32) as u32
}

/// Chunks of units, each allocated once and kept for the life of the index.
pub(super) struct Arena {
    chunks: Box<[OnceLock<Box<[Unit]>>]>,
    shift: u32,
    /// What a reader gets for a number that names nothing.
    void: Unit,
}

impl Arena {
    /// An empty arena with room for all units that `budget_bytes` could hold.
    pub(super) fn new(budget_bytes: usize) -> Self {
        let units = (budget_bytes / UNIT_BYTES).min(UNIT_LIMIT);
        let chunk = (units / 256).next_power_of_two().clamp(16, 1 << 14);
        let count = (units / chunk).max(1);
        Self {
            chunks: (0..count).map(|_| OnceLock::new()).collect(),
            shift: chunk.trailing_zeros(),
            void: Unit::default(),
        }
    }

    /// The unit `id`, or an empty one where `id` is nonsense.
    pub(super) fn unit(&self, id: u32) -> &Unit {
        let chunk = self
            .chunks
            .get((id >> self.shift) as usize)
            .and_then(OnceLock::get);
        let place = id as usize & (self.chunk_units() - 1);
        chunk
            .and_then(|units| units.get(place))
            .unwrap_or(&self.void)
    }

    /// Units in each chunk: a power of two.
    pub(super) fn chunk_units(&self) -> usize {
        1 << self.shift
    }

    /// The most chunks there may be.
    pub(super) fn chunk_limit(&self) -> usize {
        self.chunks.len()
    }

    /// Bytes of the table of chunks.
    pub(super) fn table_bytes(&self) -> usize {
        size_of_val::<[_]>(&self.chunks)
    }

    /// Allocates the chunk `index`.
    pub(super) fn allocate(&self, index: usize) {
        self.chunks[index]
            .get_or_init(|| (0..self.chunk_units()).map(|_| Unit::default()).collect());
    }
}
