//! The writer's table: hash of every block to its run and offset, at six to twelve bytes a block.
//!
//! An entry is a tag of 8 bits and a place of 32; the hash itself is read back from the run. Buckets are cache lines of
//! twelve entries that count what passed on, as in `heads`.

use super::arena::Arena;
use super::heads::{SHARDS, bucket_of, mix, shard_of};
use super::run::Run;
use crate::BlockHash;

const ENTRIES: usize = 12;
const BUCKET_BYTES: usize = size_of::<Bucket>();

/// Where a block is: its run (26 bits) and its offset in the run (6 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Location(u32);

impl Location {
    pub(super) fn new(run: u32, offset: usize) -> Self {
        Self(run << 6 | u32::try_from(offset).expect("an offset in a run"))
    }

    pub(super) fn run(self) -> u32 {
        self.0 >> 6
    }

    pub(super) fn offset(self) -> usize {
        self.0 as usize & 63
    }

    fn hash(self, arena: &Arena) -> u64 {
        Run::new(arena, self.run()).hash(self.offset())
    }
}

/// How much larger a table becomes.
#[derive(Clone, Copy)]
pub(super) enum Growth {
    /// Twice as large: rare rebuilds, while the budget lasts.
    Double,
    /// Just large enough: near the budget's end.
    Least,
}

#[derive(Clone, Default)]
#[repr(align(64))]
struct Bucket {
    tags: [u8; ENTRIES],
    passed: u32,
    places: [u32; ENTRIES],
}

#[derive(Default)]
struct Shard {
    buckets: Box<[Bucket]>,
    len: usize,
}

fn tag_of(mixed: u64) -> u8 {
    mixed.to_le_bytes()[0].max(1)
}

impl Shard {
    fn new(buckets: usize) -> Self {
        Self {
            buckets: vec![Bucket::default(); buckets].into(),
            len: 0,
        }
    }

    fn find(&self, arena: &Arena, hash: u64, mixed: u64) -> Option<(usize, usize)> {
        let count = self.buckets.len();
        let mut at = bucket_of(mixed, count);
        let tag = tag_of(mixed);
        for _ in 0..count {
            let bucket = &self.buckets[at];
            for place in 0..ENTRIES {
                if bucket.tags[place] == tag && Location(bucket.places[place]).hash(arena) == hash {
                    return Some((at, place));
                }
            }
            if bucket.passed == 0 {
                return None;
            }
            at = (at + 1) % count;
        }
        None
    }

    fn insert(&mut self, mixed: u64, location: Location) {
        let count = self.buckets.len();
        let mut at = bucket_of(mixed, count);
        loop {
            let bucket = &mut self.buckets[at];
            if let Some(place) = bucket.tags.iter().position(|&tag| tag == 0) {
                bucket.tags[place] = tag_of(mixed);
                bucket.places[place] = location.0;
                self.len += 1;
                return;
            }
            bucket.passed += 1;
            at = (at + 1) % count;
        }
    }

    fn remove(&mut self, mixed: u64, (bucket, place): (usize, usize)) {
        self.buckets[bucket].tags[place] = 0;
        self.len -= 1;
        let count = self.buckets.len();
        let mut at = bucket_of(mixed, count);
        while at != bucket {
            self.buckets[at].passed -= 1;
            at = (at + 1) % count;
        }
    }

    /// A shard stays below seven eighths full.
    fn has_room(&self, blocks: usize) -> bool {
        (self.len + blocks) * 8 <= self.buckets.len() * ENTRIES * 7
    }

    fn grown_buckets(&self, blocks: usize, growth: Growth) -> usize {
        let needed = (self.len + blocks) * 8 / (ENTRIES * 7) + 1;
        match growth {
            Growth::Double => needed.max(self.buckets.len() * 2),
            Growth::Least => needed.max(self.buckets.len() + 1),
        }
    }
}

/// All shards.
pub(super) struct Locations([Shard; SHARDS]);

impl Locations {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Shard::new(1)))
    }

    /// Where the block is, if it is known.
    pub(super) fn find(&self, arena: &Arena, hash: u64) -> Option<Location> {
        let mixed = mix(hash);
        let shard = &self.0[shard_of(mixed)];
        let (bucket, place) = shard.find(arena, hash, mixed)?;
        Some(Location(shard.buckets[bucket].places[place]))
    }

    /// Touches the buckets of `blocks` one right after the other, so that they travel to the cache together instead of
    /// each when its turn comes.
    pub(super) fn warm(&self, blocks: &[BlockHash]) {
        let touched = blocks.iter().fold(0, |sum, block| {
            let mixed = mix(block.0);
            let buckets = &self.0[shard_of(mixed)].buckets;
            sum ^ buckets[bucket_of(mixed, buckets.len())].passed
        });
        std::hint::black_box(touched);
    }

    /// Enters a block that is not known; [`Self::has_room`] must have said that there is room.
    pub(super) fn insert(&mut self, hash: u64, location: Location) {
        let mixed = mix(hash);
        self.0[shard_of(mixed)].insert(mixed, location);
    }

    /// Enters a known block's new place. The old place must still hold its hash.
    pub(super) fn relocate(&mut self, arena: &Arena, hash: u64, location: Location) {
        let mixed = mix(hash);
        let shard = &mut self.0[shard_of(mixed)];
        if let Some((bucket, place)) = shard.find(arena, hash, mixed) {
            shard.buckets[bucket].places[place] = location.0;
        }
    }

    /// Forgets a block. Its place must still hold its hash.
    pub(super) fn remove(&mut self, arena: &Arena, hash: u64) {
        let mixed = mix(hash);
        let shard = &mut self.0[shard_of(mixed)];
        if let Some(found) = shard.find(arena, hash, mixed) {
            shard.remove(mixed, found);
        }
    }

    /// Whether `shard` takes `blocks` more as it is.
    pub(super) fn has_room(&self, shard: usize, blocks: usize) -> bool {
        self.0[shard].has_room(blocks)
    }

    /// Bytes of the table that would take the place of `shard`.
    pub(super) fn grown_bytes(&self, shard: usize, blocks: usize, growth: Growth) -> usize {
        self.0[shard].grown_buckets(blocks, growth) * BUCKET_BYTES
    }

    /// Makes room for `blocks` more in `shard`.
    pub(super) fn grow(&mut self, arena: &Arena, shard: usize, blocks: usize, growth: Growth) {
        let shard = &mut self.0[shard];
        let mut grown = Shard::new(shard.grown_buckets(blocks, growth));
        for bucket in &shard.buckets {
            // All twelve at once, empty ones too: the reads wait together and not one for the other.
            let hashes = bucket.places.map(|place| Location(place).hash(arena));
            for (place, hash) in hashes.into_iter().enumerate() {
                if bucket.tags[place] != 0 {
                    grown.insert(mix(hash), Location(bucket.places[place]));
                }
            }
        }
        *shard = grown;
    }

    /// Known blocks.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|shard| shard.len).sum()
    }

    pub(super) fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|shard| shard.buckets.len() * BUCKET_BYTES)
            .sum()
    }
}
