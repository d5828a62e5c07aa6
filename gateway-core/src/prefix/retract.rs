//! Removals and clears.

use std::ops::Range;

use super::edit::{Edit, Pin};
use super::holder::Holder;
use super::holders::held_by;
use super::locations::Location;
use super::run::{RUN_BLOCKS, Run, mask_of};
use crate::BlockHash;

/// Who loses blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retraction<'a> {
    /// These holders lose them all.
    pub from: &'a [Holder],
    /// This one keeps what one of [`backing`](Self::backing) holds still, after the others lost theirs.
    pub unbacked: Option<Holder>,
    /// Whose blocks `unbacked` keeps.
    pub backing: &'a [Holder],
    /// This one loses nothing; how many of the blocks it holds is counted.
    pub witness: Option<Holder>,
}

impl<'a> Edit<'a> {
    /// Takes `blocks` from their holders; gives how many the witness holds. Neighbours in one run go together, whichever
    /// way they are listed.
    pub(super) fn retract(&mut self, what: &Retraction<'_>, blocks: &[BlockHash]) -> usize {
        let mut witnessed = 0;
        for stretch in blocks.chunks(RUN_BLOCKS) {
            self.state.locations.warm(stretch);
            let mut group = (0, 0);
            for &block in stretch {
                let mut location = self.find(block);
                if location.is_some_and(|location| location.run() != group.0) {
                    witnessed += self.retract_from_run(what, group);
                    // Runs may have been cut or evicted since.
                    location = self.find(block);
                    group = (location.map_or(0, Location::run), 0);
                }
                group.1 |= location.map_or(0, |location| 1 << location.offset());
            }
            witnessed += self.retract_from_run(what, group);
        }
        witnessed
    }

    /// Takes the blocks of a mask of one run, and brings the run in order; only that can free it.
    fn retract_from_run(&mut self, what: &Retraction<'_>, (id, blocks): (u32, u64)) -> usize {
        if blocks == 0 {
            return 0;
        }
        let run = self.run(id);
        let witnessed = what.witness.map_or(0, |holder| held_by(run, holder));
        for &holder in what.from {
            self.forget(run, holder, blocks);
        }
        if let Some(holder) = what.unbacked {
            let backing = what.backing.iter();
            let kept = backing.fold(0, |kept, &backing| kept | held_by(run, backing));
            self.forget(run, holder, blocks & !kept);
        }
        if run.children() == 0 {
            self.settle(id);
        }
        (witnessed & blocks).count_ones() as usize
    }

    /// Makes `to` hold all that `from` holds, as far as there is room.
    pub(super) fn mirror(&mut self, from: Holder, to: Holder) {
        let mut id = 0;
        while id < self.state.pool.end() {
            if self.state.pool.is_run(self.arena, id) {
                self.mirror_run(self.run(id), from, to);
            }
            id += 1;
        }
    }

    fn mirror_run(&mut self, run: Run<'a>, from: Holder, to: Holder) {
        let blocks = held_by(run, from);
        if blocks == 0 {
            return;
        }
        self.pin(Pin::Target, Some(run.id));
        if self.make_room(1) {
            self.state.held[to.lane()] += self.hold(run, to, blocks);
        }
        self.pin(Pin::Target, None);
    }

    /// Starts a clear; gives the end of the units to look at.
    pub(super) fn begin_clear(&mut self, holders: &[Holder]) -> u32 {
        self.state.clearing.extend_from_slice(holders);
        self.state.pool.end()
    }

    /// Forgets all that `holders` hold of the runs whose headers lie in `units`.
    pub(super) fn clear_units(&mut self, holders: &[Holder], units: Range<u32>) {
        for id in units {
            if !self.state.pool.is_run(self.arena, id) {
                continue;
            }
            let run = self.run(id);
            let held = holders.iter();
            let taken: usize = held
                .map(|&holder| self.forget(run, holder, mask_of(run.len())))
                .sum();
            if taken > 0 {
                self.settle(id);
            }
        }
    }

    pub(super) fn end_clear(&mut self, holders: &[Holder]) {
        for holder in holders {
            let mut clearing = self.state.clearing.iter();
            if let Some(place) = clearing.position(|clearing| clearing == holder) {
                self.state.clearing.swap_remove(place);
            }
        }
    }
}
