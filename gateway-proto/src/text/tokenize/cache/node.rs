//! One segment of a text.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The beginning of every text.
pub(super) const ROOT: u64 = 0;

/// What a node and its places in the map and the ring take beside its text and its ids, in bytes.
const OVERHEAD_BYTES: usize = 160;

/// A segment behind a certain prefix.
#[derive(Debug)]
pub(super) struct Node {
    /// Stands for this prefix; never used again for another one.
    pub(super) serial: u64,
    /// The prefix before this segment.
    parent: u64,
    text: Box<str>,
    pub(super) ids: Box<[u32]>,
}

impl Node {
    pub(super) fn new(serial: u64, parent: u64, text: &str, ids: &[u32]) -> Self {
        Self {
            serial,
            parent,
            text: text.into(),
            ids: ids.into(),
        }
    }

    /// Whether this is the segment `text` behind `parent`.
    pub(super) fn is(&self, parent: u64, text: &str) -> bool {
        self.parent == parent && *self.text == *text
    }

    pub(super) fn weight_bytes(&self) -> usize {
        Self::weigh(&self.text, &self.ids)
    }

    /// What a node of this text and these ids weighs.
    pub(super) fn weigh(text: &str, ids: &[u32]) -> usize {
        OVERHEAD_BYTES + text.len() + size_of_val(ids)
    }
}

/// Where the segment `text` behind `parent` is looked for.
pub(super) fn key(parent: u64, text: &str) -> u64 {
    xxh3_64_with_seed(text.as_bytes(), parent)
}
