//! The readers' table: hash of a run's first block to the run.
//!
//! A bucket is one cache line: seven entries of a tag (32 bits) and a run (32 bits), and a count of entries that found
//! the bucket full and went on. A removal leaves no trace, so churn never forces a rebuild. A shard that must grow is
//! built anew beside the old one and swapped in; the old one is marked, since from then on nobody keeps it true.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arc_swap::{ArcSwap, Guard};

use super::arena::{NO_UNIT, UNIT_BYTES, Unit, high, low};

/// Shards bound the length of a rebuild and the memory it takes for a while.
pub(super) const SHARDS: usize = 16;
const ENTRIES: usize = 7;
const PASSED: usize = 7;

/// Spreads hashes, even poor ones, over all 64 bits.
pub(super) fn mix(hash: u64) -> u64 {
    (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The shard of a mixed hash.
pub(super) fn shard_of(mixed: u64) -> usize {
    usize::try_from(mixed >> 60).expect("4 bits")
}

/// The bucket of a mixed hash among `buckets`.
pub(super) fn bucket_of(mixed: u64, buckets: usize) -> usize {
    usize::try_from(((mixed << 4 >> 32) * buckets as u64) >> 32)
        .expect("below the number of buckets")
}

/// One shard of the table.
pub(super) struct HeadTable {
    buckets: Box<[Unit]>,
    len: AtomicUsize,
    retired: AtomicBool,
}

/// Where an entry was found and what it said.
#[derive(Clone, Copy)]
pub(super) struct Found {
    bucket: usize,
    place: usize,
    word: u64,
}

impl Found {
    /// The run that the entry names.
    pub(super) fn run(self) -> u32 {
        low(self.word)
    }
}

impl HeadTable {
    fn new(buckets: usize) -> Self {
        Self {
            buckets: (0..buckets).map(|_| Unit::default()).collect(),
            len: AtomicUsize::new(0),
            retired: AtomicBool::new(false),
        }
    }

    /// Every entry with the tag of `mixed`, nearest first.
    pub(super) fn candidates(&self, mixed: u64) -> impl Iterator<Item = Found> {
        self.path(mixed).flat_map(move |bucket| {
            (0..ENTRIES)
                .map(move |place| Found {
                    bucket,
                    place,
                    word: self.buckets[bucket].load(place),
                })
                .filter(move |found| high(found.word) == low(mixed) && found.run() != NO_UNIT)
        })
    }

    /// Whether this table is still kept true and still says what it said when `found` was read.
    pub(super) fn still(&self, found: Found) -> bool {
        self.buckets[found.bucket].load(found.place) == found.word && !self.is_retired()
    }

    /// Whether a larger table has taken the place of this one.
    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// The buckets in which an entry may be: on from its own as long as entries were passed on.
    fn path(&self, mixed: u64) -> impl Iterator<Item = usize> {
        let count = self.buckets.len();
        let home = bucket_of(mixed, count);
        let mut open = true;
        (0..count)
            .map(move |step| (home + step) % count)
            .take_while(move |&bucket| {
                let reached = open;
                open = self.buckets[bucket].load(PASSED) != 0;
                reached
            })
    }

    fn insert(&self, mixed: u64, run: u32) {
        let count = self.buckets.len();
        let home = bucket_of(mixed, count);
        for bucket in (0..count).map(|step| &self.buckets[(home + step) % count]) {
            if let Some(place) = (0..ENTRIES).find(|&place| bucket.load(place) == 0) {
                bucket.store(place, u64::from(low(mixed)) << 32 | u64::from(run));
                self.len.fetch_add(1, Ordering::Relaxed);
                return;
            }
            bucket.store(PASSED, bucket.load(PASSED) + 1);
        }
    }

    fn remove(&self, mixed: u64, run: u32) {
        let found = self.candidates(mixed).find(|found| found.run() == run);
        let Some(found) = found else { return };
        self.buckets[found.bucket].store(found.place, 0);
        let count = self.buckets.len();
        let home = bucket_of(mixed, count);
        let steps = (found.bucket + count - home) % count;
        for bucket in (0..steps).map(|step| &self.buckets[(home + step) % count]) {
            bucket.store(PASSED, bucket.load(PASSED) - 1);
        }
        self.len.fetch_sub(1, Ordering::Relaxed);
    }

    fn runs(&self) -> impl Iterator<Item = u32> {
        self.buckets
            .iter()
            .flat_map(|bucket| (0..ENTRIES).map(|place| low(bucket.load(place))))
            .filter(|&run| run != NO_UNIT)
    }

    /// A table stays below seven eighths full.
    fn has_room(&self) -> bool {
        (self.len.load(Ordering::Relaxed) + 1) * 8 <= self.buckets.len() * ENTRIES * 7
    }

    fn bytes(&self) -> usize {
        self.buckets.len() * UNIT_BYTES + size_of::<Self>()
    }

    fn grown_buckets(&self) -> usize {
        self.buckets.len() * 3 / 2 + 1
    }
}

/// All shards.
pub(super) struct Heads([ArcSwap<HeadTable>; SHARDS]);

impl Heads {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| {
            ArcSwap::from_pointee(HeadTable::new(1))
        }))
    }

    /// The table that lists `mixed`, as it is now.
    pub(super) fn table(&self, mixed: u64) -> Guard<Arc<HeadTable>> {
        self.0[shard_of(mixed)].load()
    }

    /// The run that most likely starts with `mixed`: a guess, by the tag alone and in the home bucket alone.
    pub(super) fn likely(&self, mixed: u64) -> u32 {
        let table = self.table(mixed);
        let home = &table.buckets[bucket_of(mixed, table.buckets.len())];
        let words = (0..ENTRIES).map(|place| home.load(place));
        let mut tagged = words.filter(|&word| high(word) == low(mixed));
        tagged.next().map_or(NO_UNIT, low)
    }

    pub(super) fn insert(&self, mixed: u64, run: u32) {
        self.table(mixed).insert(mixed, run);
    }

    pub(super) fn remove(&self, mixed: u64, run: u32) {
        self.table(mixed).remove(mixed, run);
    }

    /// Bytes that must be free before `mixed` fits; `None` if it fits already.
    pub(super) fn growth_bytes(&self, mixed: u64) -> Option<usize> {
        let table = self.table(mixed);
        (!table.has_room()).then(|| table.grown_buckets() * UNIT_BYTES)
    }

    /// Swaps the shard of `mixed` for a larger one; `head` gives the mixed hash of a run's first block.
    pub(super) fn grow(&self, mixed: u64, head: impl Fn(u32) -> u64) {
        let old = self.0[shard_of(mixed)].load_full();
        let new = HeadTable::new(old.grown_buckets());
        for run in old.runs() {
            new.insert(head(run), run);
        }
        self.0[shard_of(mixed)].store(Arc::new(new));
        old.retired.store(true, Ordering::Release);
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(|shard| shard.load().bytes()).sum()
    }
}
