//! The answer to a lookup, in a buffer that is used again.

use super::holder::{Holder, Lane};
use super::run::{LIST_WORDS, entry_holder, entry_mask};
use crate::EndpointId;

/// How many leading blocks of a query each endpoint holds, by lane.
///
/// Keep one per task or thread and hand it to every [`lookup`](super::PrefixIndex::lookup): it allocates only while it
/// grows to the fleet's size.
#[derive(Clone, Debug, Default)]
pub struct PrefixMatches {
    /// By holder's number.
    blocks: Vec<u32>,
    /// Holders whose number in `blocks` is not 0, as a bit set.
    found: Vec<u64>,
    /// Holders of every block so far, as a bit set.
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

    /// How many leading blocks `holder` has; 0 in lanes that are kept aside.
    #[must_use]
    pub fn blocks(&self, holder: impl Into<Holder>) -> u32 {
        let place = holder.into().index();
        self.blocks.get(place).copied().unwrap_or(0)
    }

    /// The endpoints with at least the first block on the device, each once, with their numbers of blocks, lowest number
    /// first.
    pub fn iter(&self) -> impl Iterator<Item = (EndpointId, u32)> {
        let device = Lane::Device as usize;
        let rows = self
            .found
            .chunks(Lane::LOOKED_UP)
            .map(move |row| row[device]);
        endpoints(rows).map(|endpoint| (endpoint, self.blocks(endpoint)))
    }

    /// The endpoints with at least the first block in any lane that is looked up, each once, lowest number first.
    pub fn endpoints(&self) -> impl Iterator<Item = EndpointId> {
        let rows = self.found.chunks(Lane::LOOKED_UP);
        endpoints(rows.map(|row| row.iter().fold(0, |any, lane| any | lane)))
    }

    /// Forgets the last answer and keeps the memory.
    pub fn clear(&mut self) {
        for (word, bits) in self.found.iter_mut().enumerate() {
            if std::mem::take(bits) != 0 {
                self.blocks[word * 64..][..64].fill(0);
            }
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
        let holder = entry_holder(entry);
        let (word, bit) = (holder.index() / 64, 1 << (holder.index() % 64));
        let held = (entry_mask(entry).trailing_ones() as usize).min(matched);
        if held == matched {
            include(&mut self.next, word, bit);
        } else if at == 0 || self.alive.get(word).is_some_and(|alive| alive & bit != 0) {
            self.settle(holder, at + held);
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

    /// Gives `blocks` to every holder of a word of a bit set; whole words, as where everybody shares a system prompt,
    /// in one sweep.
    fn settle_word(&mut self, word: usize, bits: u64, blocks: usize) {
        let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
        if bits == 0 || blocks == 0 {
            return;
        }
        let others = ones(!bits);
        let places = self.places(word, bits);
        if bits.count_ones() < 48 {
            ones(bits).for_each(|bit| places[bit] = blocks.max(places[bit]));
            return;
        }
        let before = *places;
        places
            .iter_mut()
            .for_each(|place| *place = blocks.max(*place));
        others.for_each(|bit| places[bit] = before[bit]);
    }

    /// The larger number wins: a holder that stopped inside a run is met again among those who left with it.
    fn settle(&mut self, holder: Holder, blocks: usize) {
        let (word, bit) = (holder.index() / 64, holder.index() % 64);
        self.settle_word(word, 1 << bit, blocks);
    }

    /// The numbers of the holders of a word, after noting that those of `bits` will have one.
    fn places(&mut self, word: usize, bits: u64) -> &mut [u32; 64] {
        if self.found.len() <= word {
            self.found.resize(word + 1, 0);
            self.blocks.resize((word + 1) * 64, 0);
        }
        self.found[word] |= bits;
        let places = &mut self.blocks[word * 64..][..64];
        places.try_into().expect("64 places a word")
    }
}

/// The endpoints whose bits are set, a row of 64 a word.
fn endpoints(rows: impl Iterator<Item = u64>) -> impl Iterator<Item = EndpointId> {
    let indices = rows.enumerate();
    let indices = indices.flat_map(|(row, bits)| ones(bits).map(move |bit| row * 64 + bit));
    indices.map(|index| EndpointId(u16::try_from(index).expect("below the limit of endpoints")))
}

/// The places of the ones in a word.
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (place < 64).then_some(place)
    })
}

fn include(set: &mut Vec<u64>, word: usize, bits: u64) {
    if set.len() <= word {
        set.resize(word + 1, 0);
    }
    set[word] |= bits;
}
