//! The writer's state, and a turn of the writer: pins and what holds the tree together.

use super::arena::{Arena, UNIT_WORDS};
use super::heads::mix;
use super::holder::{Holder, Lane};
use super::index::Shared;
use super::leaves::Leaves;
use super::locations::{Location, Locations};
use super::pool::Pool;
use super::run::{Run, Shape, mask_of};
use super::types::PrefixStats;
use crate::BlockHash;

/// All that only the writer knows.
pub(super) struct State {
    pub(super) pool: Pool,
    pub(super) locations: Locations,
    pub(super) leaves: Leaves,
    /// Bytes allocated in all.
    pub(super) bytes: usize,
    /// Holders whose clear is under way; a split must not carry them into a part already cleared.
    pub(super) clearing: Vec<Holder>,
    pub(super) runs: usize,
    /// Pairs of a block and a holder, by lane.
    pub(super) held: [usize; Lane::ALL.len()],
    pub(super) evicted_blocks: u64,
    pub(super) evicted_holders: u64,
    pub(super) rejected_blocks: u64,
    /// Versions are never used twice.
    version: u64,
}

impl State {
    pub(super) fn new(shared: &Shared, own_bytes: usize) -> Self {
        let locations = Locations::new();
        let bytes =
            own_bytes + shared.arena.table_bytes() + shared.heads.bytes() + locations.bytes();
        Self {
            pool: Pool::default(),
            locations,
            leaves: Leaves::default(),
            bytes,
            clearing: Vec::new(),
            runs: 0,
            held: [0; Lane::ALL.len()],
            evicted_blocks: 0,
            evicted_holders: 0,
            rejected_blocks: 0,
            version: 0,
        }
    }

    pub(super) fn stats(&self) -> PrefixStats {
        PrefixStats {
            blocks: self.locations.len(),
            holders: self.held.iter().sum(),
            by_lane: self.held,
            runs: self.runs,
            bytes: self.bytes,
            evicted_blocks: self.evicted_blocks,
            evicted_holders: self.evicted_holders,
            rejected_blocks: self.rejected_blocks,
        }
    }
}

/// One turn of the writer.
pub(super) struct Edit<'a> {
    pub(super) shared: &'a Shared,
    pub(super) arena: &'a Arena,
    pub(super) state: &'a mut State,
    /// Runs that this turn works on: out of the leaves, safe from eviction and pruning.
    pinned: [u32; 2],
}

/// Which pin: a turn holds at most two.
#[derive(Clone, Copy)]
pub(super) enum Pin {
    /// The run that the next block follows.
    Cursor,
    /// The run being changed.
    Target,
}

impl<'a> Edit<'a> {
    pub(super) fn new(shared: &'a Shared, state: &'a mut State) -> Self {
        Self {
            shared,
            arena: &shared.arena,
            state,
            pinned: [0; 2],
        }
    }

    pub(super) fn run(&self, id: u32) -> Run<'a> {
        Run::new(self.arena, id)
    }

    pub(super) fn find(&self, block: BlockHash) -> Option<Location> {
        self.state.locations.find(self.arena, block.0)
    }

    /// A version that no run ever had.
    pub(super) fn fresh_version(&mut self) -> u64 {
        self.state.version += 1;
        self.state.version
    }

    /// Tells readers of `run` to read again: call it between building the new and destroying the old.
    pub(super) fn bump(&mut self, run: Run<'_>) {
        let version = self.fresh_version();
        run.set_shape(Shape::new(version, run.len()));
    }

    /// Moves a pin to `run`, or takes it off.
    pub(super) fn pin(&mut self, pin: Pin, run: Option<u32>) {
        let id = run.unwrap_or(0);
        let before = std::mem::replace(&mut self.pinned[pin as usize], id);
        if let Some(id) = run {
            self.state.leaves.remove(self.arena, self.run(id));
        }
        if before != 0 && before != id {
            self.settle(before);
        }
    }

    /// Brings a run back in order after it lost holders, children or a pin: cuts off or frees what nobody holds and
    /// nothing follows, and lists it among the leaves if it is one. Goes on upwards.
    pub(super) fn settle(&mut self, id: u32) {
        let mut next = Some(id);
        while let Some(id) = next.take() {
            let run = self.run(id);
            if self.pinned.contains(&id) || run.children() > 0 {
                return;
            }
            match held_blocks(run) {
                0 => next = self.release(run),
                held => {
                    self.truncate(run, held);
                    if run.leaf_place().is_none() {
                        self.state.leaves.push(self.arena, run);
                    }
                }
            }
        }
    }

    /// Frees a childless run and all it consists of; gives its parent, which has one child less.
    pub(super) fn release(&mut self, run: Run<'a>) -> Option<u32> {
        let parent = run
            .parent()
            .and_then(|hash| self.state.locations.find(self.arena, hash))
            .map(Location::run);
        self.shared.heads.remove(mix(run.hash(0)), run.id);
        self.state.leaves.remove(self.arena, run);
        let version = self.fresh_version();
        let list: Vec<u32> = run.holder_units().map(|unit| unit.id).collect();
        self.drop_blocks(run, 0, version);
        for unit in list {
            self.state.pool.free(self.arena, unit);
        }
        self.state.pool.set_run(self.arena, run.id, false);
        self.state.pool.free(self.arena, run.id);
        self.state.runs -= 1;
        let parent = parent.map(|id| self.run(id))?;
        parent.set_children(parent.children() - 1);
        Some(parent.id)
    }

    /// Cuts a run down to its first `blocks` blocks; nobody holds the others.
    fn truncate(&mut self, run: Run<'_>, blocks: usize) {
        if blocks < run.len() {
            let version = self.fresh_version();
            self.drop_blocks(run, blocks, version);
        }
    }

    /// Forgets the hashes of a run from `keep` on and frees their units.
    fn drop_blocks(&mut self, run: Run<'_>, keep: usize, version: u64) {
        let len = run.len();
        for offset in keep..len {
            self.state.locations.remove(self.arena, run.hash(offset));
        }
        run.set_shape(Shape::new(version, keep));
        self.free_hash_units(run, keep, len);
    }

    /// Frees the units of hashes that a run of `keep` blocks does not need but one of `len` blocks did.
    pub(super) fn free_hash_units(&mut self, run: Run<'_>, keep: usize, len: usize) {
        for index in keep.div_ceil(UNIT_WORDS)..len.div_ceil(UNIT_WORDS) {
            self.state.pool.free(self.arena, run.hash_unit(index));
        }
    }
}

impl Drop for Edit<'_> {
    fn drop(&mut self) {
        self.pin(Pin::Target, None);
        self.pin(Pin::Cursor, None);
        self.shared.set_stamp_slack(self.state.runs);
    }
}

/// Blocks of a run up to the last one that anybody holds.
fn held_blocks(run: Run<'_>) -> usize {
    let len = run.len();
    let mut held = run.first() & mask_of(len);
    for unit in run.holder_units() {
        if held >> (len - 1) & 1 == 1 {
            break;
        }
        held |= super::holders::unit_mask(unit, len);
    }
    (u64::BITS - held.leading_zeros()) as usize
}
