//! Stores: walk what is known, append or branch off where it ends.

use super::arena::UNIT_WORDS;
use super::edit::{Edit, Pin};
use super::heads::mix;
use super::holder::Holder;
use super::locations::Location;
use super::pool::Need;
use super::run::{RUN_BLOCKS, Run, Shape, entry, entry_holder, entry_mask, mask_of};
use super::types::StoreOutcome;
use crate::BlockHash;

impl<'a> Edit<'a> {
    /// Enters `blocks` of `holder` after `parent`.
    pub(super) fn store(
        &mut self,
        holder: Holder,
        parent: Option<BlockHash>,
        blocks: &[BlockHash],
        outcome: &mut StoreOutcome,
    ) {
        let evicted_before = self.state.evicted_blocks;
        let mut stored = 0;
        if holder.index() < Holder::LIMIT {
            let mut cursor = parent.and_then(|parent| self.find(parent));
            self.pin(Pin::Cursor, cursor.map(Location::run));
            while stored < blocks.len() {
                let taken = self.step(holder, &mut cursor, &blocks[stored..], outcome);
                if taken == 0 {
                    break;
                }
                stored += taken;
            }
        }
        self.reject(blocks.len() - stored, outcome);
        let evicted = self.state.evicted_blocks - evicted_before;
        outcome.evicted_blocks += usize::try_from(evicted).unwrap_or(usize::MAX);
    }

    /// Counts blocks that were not stored.
    pub(super) fn reject(&mut self, blocks: usize, outcome: &mut StoreOutcome) {
        self.state.rejected_blocks += blocks as u64;
        outcome.rejected += blocks;
    }

    /// Enters the first stretch of `blocks` that lies in one run, moves the cursor behind it, and gives its length, or 0
    /// where no room can be made.
    fn step(
        &mut self,
        holder: Holder,
        cursor: &mut Option<Location>,
        blocks: &[BlockHash],
        outcome: &mut StoreOutcome,
    ) -> usize {
        let entered = match self.find(blocks[0]) {
            Some(location) => self.join(holder, *cursor, location, blocks),
            None => self.extend(holder, *cursor, blocks),
        };
        let Some(entered) = entered else { return 0 };
        self.state.held[holder.lane()] += entered.new_holders;
        outcome.new_holders += entered.new_holders;
        *cursor = Some(entered.last);
        self.pin(Pin::Cursor, Some(entered.last.run()));
        self.pin(Pin::Target, None);
        entered.blocks
    }

    /// Makes `holder` a holder of blocks that are known already, as far as one run goes.
    fn join(
        &mut self,
        holder: Holder,
        cursor: Option<Location>,
        location: Location,
        blocks: &[BlockHash],
    ) -> Option<Entered> {
        let (run, offset) = (self.run(location.run()), location.offset());
        self.pin(Pin::Target, Some(run.id));
        if offset == 0 {
            self.adopt(run, cursor)?;
        }
        if !self.make_room(1) {
            return None;
        }
        let len = run.len();
        let equal = (offset..len)
            .zip(blocks)
            .take_while(|&(at, block)| run.hash(at) == block.0)
            .count();
        run.set_stamp(self.shared.now());
        let new_holders = self.hold(run, holder, mask_of(offset + equal) & !mask_of(offset));
        Some(Entered {
            blocks: equal,
            new_holders,
            last: Location::new(run.id, offset + equal - 1),
        })
    }

    /// Hangs a run whose parent was unknown below the block that it turns out to follow. `None` if there is no room.
    fn adopt(&mut self, run: Run<'a>, cursor: Option<Location>) -> Option<()> {
        let Some(cursor) = cursor else {
            return Some(());
        };
        let parent = self.run(cursor.run());
        if run.parent().is_some() || parent.id == run.id || self.is_ancestor(run, parent) {
            return Some(());
        }
        self.split_after(parent, cursor.offset())?;
        run.set_parent(Some(parent.hash(cursor.offset())));
        parent.set_children(parent.children() + 1);
        Some(())
    }

    /// Whether `run` lies on the way from `below` to the start of its chain: only wrong reports could make it so.
    fn is_ancestor(&self, run: Run<'_>, below: Run<'a>) -> bool {
        let mut at = Some(below);
        while let Some(step) = at.filter(|_| run.children() > 0) {
            if step.id == run.id {
                return true;
            }
            let parent = step
                .parent()
                .and_then(|hash| self.state.locations.find(self.arena, hash));
            at = parent.map(|parent| self.run(parent.run()));
        }
        false
    }

    /// Enters blocks that are not known: into the run of the cursor if it is the holder's own leaf, else into a new run.
    fn extend(
        &mut self,
        holder: Holder,
        cursor: Option<Location>,
        blocks: &[BlockHash],
    ) -> Option<Entered> {
        self.state
            .locations
            .warm(&blocks[..blocks.len().min(RUN_BLOCKS)]);
        let known = |block: &BlockHash| self.find(*block).is_some();
        let unknown = 1 + blocks[1..]
            .iter()
            .take(RUN_BLOCKS - 1)
            .take_while(|block| !known(block))
            .count();
        let blocks = &blocks[..unknown];
        let Some(cursor) = cursor else {
            return self.start_run(holder, None, blocks);
        };
        let run = self.run(cursor.run());
        let room = RUN_BLOCKS - run.len();
        if cursor.offset() + 1 == run.len() && room > 0 && is_own_leaf(run, holder) {
            return self.append(holder, run, &blocks[..unknown.min(room)]);
        }
        self.split_after(run, cursor.offset())?;
        self.start_run(holder, Some(run), blocks)
    }

    fn append(&mut self, holder: Holder, run: Run<'a>, blocks: &[BlockHash]) -> Option<Entered> {
        let len = run.len();
        let units = (len + blocks.len()).div_ceil(UNIT_WORDS) - len.div_ceil(UNIT_WORDS);
        if !self.make_room_for(Need {
            units,
            blocks,
            head: None,
        }) {
            return None;
        }
        let added = self.write_blocks(run, len, blocks);
        run.set_first(entry(
            holder,
            entry_mask(run.first()) | mask_of(len + added) & !mask_of(len),
        ));
        run.set_stamp(self.shared.now());
        run.set_shape(Shape::new(run.shape().version(), len + added));
        Some(Entered {
            blocks: added,
            new_holders: added,
            last: Location::new(run.id, len + added - 1),
        })
    }

    fn start_run(
        &mut self,
        holder: Holder,
        parent: Option<Run<'a>>,
        blocks: &[BlockHash],
    ) -> Option<Entered> {
        let units = 1 + blocks.len().div_ceil(UNIT_WORDS);
        if !self.make_room_for(Need {
            units,
            blocks,
            head: Some(blocks[0]),
        }) {
            return None;
        }
        let id = self.take_run();
        let run = self.run(id);
        let added = self.write_blocks(run, 0, blocks);
        run.set_first(entry(holder, mask_of(added)));
        run.set_stamp(self.shared.now());
        if let Some(parent) = parent {
            run.set_parent(Some(parent.hash(parent.len() - 1)));
            parent.set_children(parent.children() + 1);
        }
        run.set_shape(Shape::new(run.shape().version(), added));
        self.shared.heads.insert(mix(blocks[0].0), run.id);
        Some(Entered {
            blocks: added,
            new_holders: added,
            last: Location::new(run.id, added - 1),
        })
    }

    /// Writes hashes from `offset` on, until one turns up a second time; gives how many were written.
    fn write_blocks(&mut self, run: Run<'a>, offset: usize, blocks: &[BlockHash]) -> usize {
        for (step, &block) in blocks.iter().enumerate() {
            let at = offset + step;
            if blocks[..step].contains(&block) {
                return step;
            }
            if at.is_multiple_of(UNIT_WORDS) {
                run.set_hash_unit(at / UNIT_WORDS, self.state.pool.take(self.arena));
            }
            run.set_hash(at, block.0);
            self.state
                .locations
                .insert(block.0, Location::new(run.id, at));
        }
        blocks.len()
    }
}

/// A stretch of blocks that was entered.
struct Entered {
    blocks: usize,
    new_holders: usize,
    last: Location,
}

/// Whether the run ends a chain and nobody but `holder` holds any of it.
fn is_own_leaf(run: Run<'_>, holder: Holder) -> bool {
    run.children() == 0
        && run.list() == 0
        && run.first() != 0
        && entry_holder(run.first()) == holder
}
