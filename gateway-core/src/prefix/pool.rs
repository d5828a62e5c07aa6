//! Room: units free and taken, tables that grow, and eviction when the budget says no.

use super::arena::{Arena, NO_UNIT, UNIT_BYTES, low};
use super::edit::Edit;
use super::heads::{SHARDS, mix, shard_of};
use super::holders::holders_of;
use super::leaves::Leaves;
use super::locations::Growth;
use super::run::Shape;
use crate::BlockHash;

/// The word of a free unit that names the next free one. Word 0 of a freed header keeps saying that it has no blocks.
const NEXT_FREE: usize = 1;

/// Units of the arena by use.
#[derive(Default)]
pub(super) struct Pool {
    free: u32,
    free_len: usize,
    /// Units from here on were never used. Unit 0 never is.
    fresh: usize,
    chunks: usize,
    /// Which units are headers of runs: a bit each, allocated with the chunk.
    headers: Vec<Box<[u64]>>,
}

impl Pool {
    /// The end of the units ever used.
    pub(super) fn end(&self) -> u32 {
        u32::try_from(self.fresh).expect("26 bits")
    }

    fn available(&self, arena: &Arena) -> usize {
        self.free_len + self.chunks * arena.chunk_units() - self.fresh
    }

    fn chunk_bytes(arena: &Arena) -> usize {
        arena.chunk_units() * UNIT_BYTES
            + arena.chunk_units().div_ceil(64) * size_of::<u64>()
            + size_of::<Box<[u64]>>()
    }

    fn add_chunk(&mut self, arena: &Arena) {
        arena.allocate(self.chunks);
        self.headers
            .push(vec![0; arena.chunk_units().div_ceil(64)].into());
        self.chunks += 1;
        self.fresh = self.fresh.max(1);
    }

    /// Takes a unit; [`Edit::make_room`] must have found room for it.
    pub(super) fn take(&mut self, arena: &Arena) -> u32 {
        if self.free == NO_UNIT {
            self.fresh += 1;
            return u32::try_from(self.fresh - 1).expect("26 bits");
        }
        let id = self.free;
        self.free = low(arena.unit(id).load(NEXT_FREE));
        self.free_len -= 1;
        id
    }

    /// Takes a unit back.
    pub(super) fn free(&mut self, arena: &Arena, id: u32) {
        arena.unit(id).store(NEXT_FREE, u64::from(self.free));
        self.free = id;
        self.free_len += 1;
    }

    /// Whether a unit is the header of a run.
    pub(super) fn is_run(&self, arena: &Arena, id: u32) -> bool {
        let (chunk, place) = (
            id as usize / arena.chunk_units(),
            id as usize % arena.chunk_units(),
        );
        self.headers[chunk][place / 64] >> (place % 64) & 1 == 1
    }

    pub(super) fn set_run(&mut self, arena: &Arena, id: u32, is_run: bool) {
        let (chunk, place) = (
            id as usize / arena.chunk_units(),
            id as usize % arena.chunk_units(),
        );
        let word = &mut self.headers[chunk][place / 64];
        *word = *word & !(1 << (place % 64)) | u64::from(is_run) << (place % 64);
    }
}

/// What a change is about to need.
#[derive(Clone, Copy, Default)]
pub(super) struct Need<'a> {
    pub(super) units: usize,
    /// Blocks that become known.
    pub(super) blocks: &'a [BlockHash],
    /// The first block of a run that is to be made.
    pub(super) head: Option<BlockHash>,
}

impl Edit<'_> {
    /// Finds room for `units`; as [`Self::make_room_for`].
    pub(super) fn make_room(&mut self, units: usize) -> bool {
        self.make_room_for(Need {
            units,
            ..Need::default()
        })
    }

    /// Makes sure that `need` fits the budget, by evicting if it must; false if even that does not help.
    pub(super) fn make_room_for(&mut self, need: Need<'_>) -> bool {
        while !(self.has_units(need.units)
            && self.has_locations(need.blocks)
            && self.has_run(need.head))
        {
            if !self.evict_oldest() {
                return false;
            }
        }
        true
    }

    /// Spends `bytes` of the budget for a while, if there are so many.
    fn affords(&self, bytes: usize) -> bool {
        self.state.bytes + bytes <= self.shared.budget_bytes
    }

    /// Whether there are `units`, without evicting.
    pub(super) fn has_units(&mut self, units: usize) -> bool {
        let bytes = Pool::chunk_bytes(self.arena);
        while self.state.pool.available(self.arena) < units {
            if self.state.pool.chunks == self.arena.chunk_limit() || !self.affords(bytes) {
                return false;
            }
            self.state.pool.add_chunk(self.arena);
            self.state.bytes += bytes;
        }
        true
    }

    fn has_locations(&mut self, blocks: &[BlockHash]) -> bool {
        let mut counts = [0_usize; SHARDS];
        for block in blocks {
            counts[shard_of(mix(block.0))] += 1;
        }
        for (shard, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            if self.state.locations.has_room(shard, count) {
                continue;
            }
            // The old table lives until the new one is filled, so the new one counts in full.
            let affordable = |growth: &Growth| {
                self.affords(self.state.locations.grown_bytes(shard, count, *growth))
            };
            let Some(growth) = [Growth::Double, Growth::Least].into_iter().find(affordable) else {
                return false;
            };
            let before = self.state.locations.bytes();
            self.state.locations.grow(self.arena, shard, count, growth);
            self.state.bytes += self.state.locations.bytes() - before;
        }
        true
    }

    fn has_run(&mut self, head: Option<BlockHash>) -> bool {
        let Some(head) = head.map(|head| mix(head.0)) else {
            return true;
        };
        if let Some(bytes) = self.shared.heads.growth_bytes(head) {
            if !self.affords(bytes) {
                return false;
            }
            let before = self.shared.heads.bytes();
            self.shared
                .heads
                .grow(head, |run| mix(self.run(run).hash(0)));
            self.state.bytes += self.shared.heads.bytes() - before;
        }
        // Any run can become a leaf, so all have a place among them.
        if let Some(leaves) = self.state.leaves.growth(self.state.runs + 1) {
            if !self.affords(Leaves::bytes_of(leaves)) {
                return false;
            }
            let before = self.state.leaves.bytes();
            self.state.leaves.grow(leaves);
            self.state.bytes += self.state.leaves.bytes() - before;
        }
        true
    }

    /// Evicts the least recently used leaf that no pin protects; false if there is none.
    fn evict_oldest(&mut self) -> bool {
        let Some(id) = self.state.leaves.oldest(self.arena) else {
            return false;
        };
        let run = self.run(id);
        let holders = holders_of(run);
        for (holder, mask) in &holders {
            let pairs = mask.count_ones();
            self.state.held[holder.lane()] -= pairs as usize;
            self.state.evicted_holders += u64::from(pairs);
        }
        let blocks = holders
            .iter()
            .fold(0, |all, (_, mask)| all | mask)
            .count_ones();
        self.state.evicted_blocks += u64::from(blocks);
        if let Some(parent) = self.release(run) {
            self.settle(parent);
        }
        true
    }

    /// Takes a unit and makes it an empty run that no reader can find yet.
    pub(super) fn take_run(&mut self) -> u32 {
        let id = self.state.pool.take(self.arena);
        let run = self.run(id);
        run.set_shape(Shape::new(self.fresh_version(), 0));
        run.reset();
        self.state.pool.set_run(self.arena, id, true);
        self.state.runs += 1;
        id
    }
}
