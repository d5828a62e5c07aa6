//! Splitting a run, so that the tree branches at the ends of runs only.

use super::arena::UNIT_WORDS;
use super::edit::Edit;
use super::heads::mix;
use super::holders::holders_of;
use super::locations::Location;
use super::pool::Need;
use super::run::{LIST_WORDS, Run, SET_LIMIT, Shape};
use crate::BlockHash;

impl<'a> Edit<'a> {
    /// Makes the block at `offset` the last of `run`, which is pinned. What followed becomes its child, and takes over
    /// its children. `None` if there is no room.
    pub(super) fn split_after(&mut self, run: Run<'a>, offset: usize) -> Option<()> {
        let (keep, len) = (offset + 1, run.len());
        if keep == len {
            return Some(());
        }
        let lists = run.holder_units().count();
        // Holders who become full move to bit sets: one for each at worst, and no more than there are.
        let sets = (lists * LIST_WORDS).min(SET_LIMIT);
        let units = 1 + (len - keep).div_ceil(UNIT_WORDS) + 2 * lists + sets;
        let head = BlockHash(run.hash(keep));
        if !self.make_room_for(Need {
            units,
            blocks: &[],
            head: Some(head),
        }) {
            return None;
        }
        let tail = self.make_tail(run, keep);
        // Readers may meet the tail in both runs for a moment, but never in none.
        self.shared.heads.insert(mix(head.0), tail.id);
        run.set_shape(Shape::new(self.fresh_version(), keep));
        self.free_hash_units(run, keep, len);
        run.set_children(1);
        self.trim_holders(run);
        self.settle(tail.id);
        Some(())
    }

    /// Copies the blocks of `run` from `from` on, their holders and what follows them into a new run.
    fn make_tail(&mut self, run: Run<'a>, from: usize) -> Run<'a> {
        let id = self.take_run();
        let tail = self.run(id);
        let len = run.len() - from;
        for at in 0..len {
            if at.is_multiple_of(UNIT_WORDS) {
                tail.set_hash_unit(at / UNIT_WORDS, self.state.pool.take(self.arena));
            }
            let hash = run.hash(from + at);
            tail.set_hash(at, hash);
            self.state
                .locations
                .relocate(self.arena, hash, Location::new(id, at));
        }
        tail.set_shape(Shape::new(self.fresh_version(), len));
        tail.set_stamp(run.stamp());
        tail.set_parent(Some(run.hash(from - 1)));
        tail.set_children(run.children());
        for (holder, mask) in holders_of(run) {
            if !self.state.clearing.contains(&holder) {
                self.hold(tail, holder, mask >> from);
            }
        }
        tail
    }
}
