//! Words that belong to nodes whose blocks do not fit the router's: kept beside them, in stretches of equal length.

/// Stretches of 64-bit words, reused by length. Engines keep one block size, so hardly any length ever stays unused.
#[derive(Debug, Default)]
pub(super) struct Spans {
    words: Vec<u64>,
    /// Free stretches by their length.
    free: Vec<Vec<u32>>,
}

impl Spans {
    /// Keeps a copy of `words`; gives where.
    pub(super) fn keep(&mut self, words: &[u64]) -> u32 {
        if let Some(at) = self.free.get_mut(words.len()).and_then(Vec::pop) {
            self.words[at as usize..at as usize + words.len()].copy_from_slice(words);
            return at;
        }
        let at = u32::try_from(self.words.len()).expect("bounded by the limit of nodes");
        self.words.extend_from_slice(words);
        at
    }

    /// The `len` words at `at`.
    pub(super) fn at(&self, at: u32, len: usize) -> &[u64] {
        &self.words[at as usize..at as usize + len]
    }

    /// Gives a stretch back.
    pub(super) fn release(&mut self, at: u32, len: usize) {
        if self.free.len() <= len {
            self.free.resize_with(len + 1, Vec::new);
        }
        self.free[len].push(at);
    }

    /// Whether `len` more words can come without more than `limit` words in all.
    pub(super) fn has_room(&self, len: usize, limit: usize) -> bool {
        self.words.len() + len <= limit || self.free.get(len).is_some_and(|list| !list.is_empty())
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
