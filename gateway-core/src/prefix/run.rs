//! A run: up to 48 consecutive blocks of one chain, and who holds which of them.
//!
//! The first unit of a run, its header, has these words:
//!
//! | word | content |
//! |---|---|
//! | 0 | shape: version (56 bits), length in blocks (8 bits) |
//! | 1 | time of last use, and a mark; the one word that readers change |
//! | 2 | hash of the block before the first, where the run has a parent |
//! | 3–5 | six unit numbers; each unit holds the hashes of eight blocks |
//! | 6 | first holder: its number (16 bits), mask of the blocks it holds (48 bits); 0 is none |
//! | 7 | low: first unit of the other holders (26 bits), flags; high: children, or else the place among the leaves |
//!
//! Other holders live in a list of units. Word 1 of each: next unit (low), kind (high). A unit of kind 0 has seven more
//! words like word 6; one of kind `k` has a bit set of the 448 holders from `448 * (k - 1)` on who hold the run in full.
//!
//! # How a reader can trust what it read
//!
//! The writer never leaves a state that means too much, step by step: it builds what is new first, then gives the run a
//! new version, then destroys what is old. A reader compares the version before and after; if it changed, the reader
//! reads again. It never waits for the writer.
//!
//! A reader refreshes the time of use after that check, when the unit may be something else already. It therefore
//! exchanges exactly the word it read, which carries a mark that word 1 of no other unit has (short of a hash that
//! equals it bit by bit).

use super::arena::{Arena, NO_UNIT, UNIT_LIMIT, UNIT_WORDS, Unit, high, low};
use super::holder::Holder;

/// The most blocks in a run: what a holder's mask has bits for.
pub(super) const RUN_BLOCKS: usize = 48;
/// Words that carry something in a unit of holders.
pub(super) const LIST_WORDS: usize = UNIT_WORDS - 1;
/// Holders that a bit-set unit covers.
pub(super) const SET_HOLDERS: usize = LIST_WORDS * 64;
/// The most bit-set units that a run can have.
pub(super) const SET_LIMIT: usize = Holder::LIMIT.div_ceil(SET_HOLDERS);
/// The most units that a list of holders can have.
pub(super) const LIST_LIMIT: usize = Holder::LIMIT / LIST_WORDS + SET_LIMIT + 4;

const SHAPE: usize = 0;
const STAMP: usize = 1;
/// The word of a holders' unit that links it: there, a stamp's mark is never set.
const LINK: usize = STAMP;
const STAMP_MARK: u64 = 1 << 63;
const PARENT: usize = 2;
const HASHES: usize = 3;
const FIRST: usize = 6;
const LINKS: usize = 7;

const MASK_BITS: u64 = (1 << RUN_BLOCKS) - 1;
const HAS_PARENT: u32 = 1 << 26;
const HAS_CHILDREN: u32 = 1 << 27;

/// A mask of the first `blocks` blocks.
pub(super) fn mask_of(blocks: usize) -> u64 {
    (1 << blocks.min(RUN_BLOCKS)) - 1
}

/// A holder's word.
pub(super) fn entry(holder: Holder, mask: u64) -> u64 {
    if mask == 0 {
        0
    } else {
        (holder.index() as u64) << RUN_BLOCKS | mask
    }
}

/// The holder of a holder's word.
pub(super) fn entry_holder(entry: u64) -> Holder {
    Holder::at(usize::try_from(entry >> RUN_BLOCKS).expect("16 bits remain"))
}

/// The mask of a holder's word.
pub(super) fn entry_mask(entry: u64) -> u64 {
    entry & MASK_BITS
}

/// A run seen through its header.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    arena: &'a Arena,
    header: &'a Unit,
    /// Number of the header's unit.
    pub(super) id: u32,
}

impl<'a> Run<'a> {
    pub(super) fn new(arena: &'a Arena, id: u32) -> Self {
        Self {
            arena,
            header: arena.unit(id),
            id,
        }
    }

    pub(super) fn shape(self) -> Shape {
        Shape(self.header.load(SHAPE))
    }

    pub(super) fn set_shape(self, shape: Shape) {
        self.header.store(SHAPE, shape.0);
    }

    pub(super) fn len(self) -> usize {
        self.shape().len()
    }

    pub(super) fn stamp(self) -> u64 {
        self.header.load(STAMP) & !STAMP_MARK
    }

    pub(super) fn set_stamp(self, now: u64) {
        self.header.store(STAMP, now | STAMP_MARK);
    }

    /// Replaces the stamp `before` by `now`, or nothing if it is another one meanwhile: for readers.
    pub(super) fn refresh(self, before: u64, now: u64) {
        self.header
            .exchange(STAMP, before | STAMP_MARK, now | STAMP_MARK);
    }

    /// Number of the unit with the hashes of the blocks from `8 * index`.
    pub(super) fn hash_unit(self, index: usize) -> u32 {
        let pair = self.header.load(HASHES + index / 2);
        if index.is_multiple_of(2) {
            low(pair)
        } else {
            high(pair)
        }
    }

    pub(super) fn set_hash_unit(self, index: usize, unit: u32) {
        if index.is_multiple_of(2) {
            self.header.store_low(HASHES + index / 2, unit);
        } else {
            self.header.store_high(HASHES + index / 2, unit);
        }
    }

    /// The hash of the block at `offset`, which is below 48.
    pub(super) fn hash(self, offset: usize) -> u64 {
        self.arena
            .unit(self.hash_unit(offset / UNIT_WORDS))
            .load(offset % UNIT_WORDS)
    }

    pub(super) fn set_hash(self, offset: usize, hash: u64) {
        self.arena
            .unit(self.hash_unit(offset / UNIT_WORDS))
            .store(offset % UNIT_WORDS, hash);
    }

    /// The word of the first holder.
    pub(super) fn first(self) -> u64 {
        self.header.load(FIRST)
    }

    pub(super) fn set_first(self, entry: u64) {
        self.header.store(FIRST, entry);
    }

    /// First unit of the list of other holders.
    pub(super) fn list(self) -> u32 {
        low(self.header.load(LINKS)) & (HAS_PARENT - 1)
    }

    pub(super) fn set_list(self, unit: u32) {
        let flags = low(self.header.load(LINKS)) & !(HAS_PARENT - 1);
        self.header.store_low(LINKS, flags | unit);
    }

    /// The units of the list of other holders; ends early rather than run in circles through a recycled unit.
    pub(super) fn holder_units(self) -> impl Iterator<Item = HolderUnit<'a>> {
        let mut next = self.list();
        (0..LIST_LIMIT).map_while(move |_| {
            let unit = HolderUnit::new(self.arena, next)?;
            next = unit.next();
            Some(unit)
        })
    }

    /// The hash of the block before the run, where a run that ends with it is its parent.
    pub(super) fn parent(self) -> Option<u64> {
        (low(self.header.load(LINKS)) & HAS_PARENT != 0).then(|| self.header.load(PARENT))
    }

    pub(super) fn set_parent(self, hash: Option<u64>) {
        self.header.store(PARENT, hash.unwrap_or(0));
        let rest = low(self.header.load(LINKS)) & !HAS_PARENT;
        self.header.store_low(
            LINKS,
            if hash.is_some() {
                rest | HAS_PARENT
            } else {
                rest
            },
        );
    }

    /// How many runs follow this one.
    pub(super) fn children(self) -> u32 {
        let links = self.header.load(LINKS);
        if low(links) & HAS_CHILDREN == 0 {
            0
        } else {
            high(links)
        }
    }

    /// Sets the children of a run that is not among the leaves.
    pub(super) fn set_children(self, count: u32) {
        let rest = low(self.header.load(LINKS)) & !HAS_CHILDREN;
        let flags = if count > 0 { rest | HAS_CHILDREN } else { rest };
        self.header
            .store(LINKS, u64::from(count) << 32 | u64::from(flags));
    }

    /// The place of a childless run among the leaves.
    pub(super) fn leaf_place(self) -> Option<usize> {
        let links = self.header.load(LINKS);
        let place = if low(links) & HAS_CHILDREN == 0 {
            high(links)
        } else {
            0
        };
        (place as usize).checked_sub(1)
    }

    /// Sets the place of a childless run among the leaves.
    pub(super) fn set_leaf_place(self, place: Option<usize>) {
        let place = place.map_or(0, |place| place + 1);
        self.header.store_high(
            LINKS,
            u32::try_from(place).expect("fewer leaves than units"),
        );
    }

    /// Makes a fresh header of this unit: no holders, no parent, no hashes.
    pub(super) fn reset(self) {
        for word in STAMP..UNIT_WORDS {
            self.header.store(word, 0);
        }
    }
}

/// Version and length of a run, read in one go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape(u64);

impl Shape {
    pub(super) fn new(version: u64, len: usize) -> Self {
        Self(version << 8 | len as u64)
    }

    pub(super) fn version(self) -> u64 {
        self.0 >> 8
    }

    pub(super) fn len(self) -> usize {
        usize::try_from(self.0 & 0xff).expect("8 bits")
    }
}

/// One unit of the list of holders.
#[derive(Clone, Copy)]
pub(super) struct HolderUnit<'a> {
    unit: &'a Unit,
    /// Number of the unit.
    pub(super) id: u32,
}

impl<'a> HolderUnit<'a> {
    pub(super) fn new(arena: &'a Arena, id: u32) -> Option<Self> {
        (id != NO_UNIT).then(|| Self {
            unit: arena.unit(id),
            id,
        })
    }

    /// The next unit of the list; bounded, even if this one was recycled.
    pub(super) fn next(self) -> u32 {
        low(self.unit.load(LINK)) & (u32::try_from(UNIT_LIMIT).expect("26 bits") - 1)
    }

    pub(super) fn set_next(self, next: u32) {
        self.unit.store_low(LINK, next);
    }

    /// Which part of the holders the bit set covers; `None` for a unit of holders' words.
    pub(super) fn part(self) -> Option<usize> {
        (high(self.unit.load(LINK)) as usize).checked_sub(1)
    }

    /// Makes the unit an empty one.
    pub(super) fn reset(self, part: Option<usize>, next: u32) {
        for place in 0..LIST_WORDS {
            self.set_word(place, 0);
        }
        let kind = part.map_or(0, |part| part + 1) as u64;
        self.unit.store(LINK, kind << 32 | u64::from(next));
    }

    pub(super) fn word(self, place: usize) -> u64 {
        self.unit.load(Self::place(place))
    }

    pub(super) fn set_word(self, place: usize, value: u64) {
        self.unit.store(Self::place(place), value);
    }

    /// All words but the second.
    fn place(place: usize) -> usize {
        if place < LINK { place } else { place + 1 }
    }

    pub(super) fn is_empty(self) -> bool {
        (0..LIST_WORDS).all(|place| self.word(place) == 0)
    }
}
