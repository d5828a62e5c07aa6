//! The answer to a lookup, in a buffer that is used again.

use super::run::{LIST_WORDS, entry_endpoint, entry_mask};
use crate::EndpointId;

/// How many leading blocks of a query each endpoint holds.
///
/// Keep one per task or thread and hand it to every [`lookup`](super::PrefixIndex::lookup): it allocates only while it
/// grows to the fleet's size.
#[derive(Clone, Debug, Default)]
pub struct PrefixMatches {
    /// By endpoint number.
    blocks: Vec<u32>,
    /// Endpoints whose number in `blocks` is not 0.
    found: Vec<EndpointId>,
    /// Endpoints that hold every block so far, as a bit set.
    alive: Vec<u64>,
    /// The same for the run being entered.
    next: Vec<u64>,
    pub(super) read: RunHolders,
}

/// What a reader copied from one run, not yet known to be sound.
#[derive(Clone, Debug, Default)]
pub(super) struct RunHolders {
    /// Words of single holders.
    pub(super) entries: Vec<u64>,
    /// Runs that matched, with their stamps: refreshed together at the end, since an exchange in between would hold up
    /// the reads that follow it.
    pub(super) used: Vec<(u32, u64)>,
    /// Parts of the bit set of full holders.
    pub(super) sets: Vec<(usize, [u64; LIST_WORDS])>,
}

impl PrefixMatches {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leading blocks `endpoint` holds.
    #[must_use]
    pub fn blocks(&self, endpoint: EndpointId) -> u32 {
        self.blocks.get(endpoint.index()).copied().unwrap_or(0)
    }

    /// The endpoints that hold at least the first block, each once, with their numbers of blocks, in no set order.
    pub fn iter(&self) -> impl Iterator<Item = (EndpointId, u32)> {
        self.found
            .iter()
            .map(|&endpoint| (endpoint, self.blocks(endpoint)))
    }

    /// Forgets the last answer and keeps the memory.
    pub fn clear(&mut self) {
        for endpoint in self.found.drain(..) {
            self.blocks[endpoint.index()] = 0;
        }
        self.alive.clear();
    }

    /// Enters a run of which `matched` blocks follow the first `at` of the query; false once nobody holds them all.
    pub(super) fn advance(&mut self, at: usize, matched: usize) -> bool {
        let read = std::mem::take(&mut self.read);
        self.next.clear();
        for (part, words) in &read.sets {
            for (place, &word) in words.iter().enumerate().filter(|(_, word)| **word != 0) {
                include(&mut self.next, part * LIST_WORDS + place, word);
            }
        }
        for &entry in &read.entries {
            self.advance_entry(at, matched, entry);
        }
        self.read = read;
        self.drop_absent(at)
    }

    /// A single holder goes on if it holds all that matched, else stops at its first gap.
    fn advance_entry(&mut self, at: usize, matched: usize, entry: u64) {
        let endpoint = entry_endpoint(entry);
        let (word, bit) = (endpoint.index() / 64, 1 << (endpoint.index() % 64));
        let held = (entry_mask(entry).trailing_ones() as usize).min(matched);
        if held == matched {
            include(&mut self.next, word, bit);
        } else if at == 0 || self.alive.get(word).is_some_and(|alive| alive & bit != 0) {
            self.settle(endpoint, at + held);
        }
    }

    /// Settles those who held all blocks up to `at` and hold none of the new run.
    fn drop_absent(&mut self, at: usize) -> bool {
        if at == 0 {
            std::mem::swap(&mut self.alive, &mut self.next);
        } else {
            for word in 0..self.alive.len() {
                let kept = self.next.get(word).copied().unwrap_or(0);
                self.settle_word(word, self.alive[word] & !kept, at);
                self.alive[word] &= kept;
            }
        }
        self.alive.iter().any(|&word| word != 0)
    }

    /// Settles those who hold all `at` blocks that could be followed.
    pub(super) fn finish(&mut self, at: usize) {
        for word in 0..self.alive.len() {
            self.settle_word(word, self.alive[word], at);
        }
    }

    fn settle_word(&mut self, word: usize, mut bits: u64, blocks: usize) {
        self.found.reserve(bits.count_ones() as usize);
        while bits != 0 {
            let index = word * 64 + bits.trailing_zeros() as usize;
            self.settle(
                EndpointId(u16::try_from(index).expect("below the limit of endpoints")),
                blocks,
            );
            bits &= bits - 1;
        }
    }

    /// The larger number wins: a holder that stopped inside a run is met again among those who left with it.
    fn settle(&mut self, endpoint: EndpointId, blocks: usize) {
        let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
        if blocks == 0 {
            return;
        }
        if self.blocks.len() <= endpoint.index() {
            self.blocks.resize(endpoint.index() + 1, 0);
        }
        let place = &mut self.blocks[endpoint.index()];
        if *place == 0 {
            self.found.push(endpoint);
        }
        *place = blocks.max(*place);
    }
}

fn include(set: &mut Vec<u64>, word: usize, bits: u64) {
    if set.len() <= word {
        set.resize(word + 1, 0);
    }
    set[word] |= bits;
}
