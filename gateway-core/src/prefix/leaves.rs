//! Childless runs by time of last use: a binary heap in which every run knows its place.
//!
//! Readers refresh a run's own stamp and cannot reorder a heap, so a key may lag behind the stamp of its run. Keys only
//! ever lag, therefore the first run whose key equals its stamp is the least recently used of all.

use super::arena::Arena;
use super::run::Run;

#[derive(Clone, Copy)]
struct Leaf {
    key: u64,
    run: u32,
}

/// The heap. `leaf_place` in each run's header mirrors its position here.
#[derive(Default)]
pub(super) struct Leaves(Vec<Leaf>);

impl Leaves {
    /// Enters a childless run. [`Self::growth`] must have said that there is room.
    pub(super) fn push(&mut self, arena: &Arena, run: Run<'_>) {
        self.0.push(Leaf {
            key: run.stamp(),
            run: run.id,
        });
        self.rise(arena, self.0.len() - 1);
    }

    /// Takes a run out, if it is in.
    pub(super) fn remove(&mut self, arena: &Arena, run: Run<'_>) {
        let Some(place) = run.leaf_place() else {
            return;
        };
        self.0.swap_remove(place);
        run.set_leaf_place(None);
        if place < self.0.len() {
            self.rise(arena, place);
            self.sink(arena, place);
        }
    }

    /// The least recently used run.
    pub(super) fn oldest(&mut self, arena: &Arena) -> Option<u32> {
        loop {
            let leaf = *self.0.first()?;
            let stamp = Run::new(arena, leaf.run).stamp();
            if stamp <= leaf.key {
                return Some(leaf.run);
            }
            self.0[0].key = stamp;
            self.sink(arena, 0);
        }
    }

    /// Leaves that a larger heap would hold, where `leaves` do not fit this one.
    pub(super) fn growth(&self, leaves: usize) -> Option<usize> {
        (leaves > self.0.capacity()).then_some(leaves * 3 / 2)
    }

    /// Bytes of a heap of `leaves`.
    pub(super) fn bytes_of(leaves: usize) -> usize {
        leaves * size_of::<Leaf>()
    }

    pub(super) fn grow(&mut self, leaves: usize) {
        self.0.reserve_exact(leaves - self.0.len());
    }

    pub(super) fn bytes(&self) -> usize {
        Self::bytes_of(self.0.capacity())
    }

    fn rise(&mut self, arena: &Arena, mut at: usize) {
        while at > 0 && self.0[at].key < self.0[(at - 1) / 2].key {
            self.0.swap(at, (at - 1) / 2);
            self.note(arena, at);
            at = (at - 1) / 2;
        }
        self.note(arena, at);
    }

    fn sink(&mut self, arena: &Arena, mut at: usize) {
        loop {
            let child = [2 * at + 1, 2 * at + 2]
                .into_iter()
                .filter(|&c| c < self.0.len())
                .min_by_key(|&c| self.0[c].key);
            let Some(child) = child.filter(|&c| self.0[c].key < self.0[at].key) else {
                break;
            };
            self.0.swap(at, child);
            self.note(arena, at);
            at = child;
        }
        self.note(arena, at);
    }

    fn note(&self, arena: &Arena, at: usize) {
        Run::new(arena, self.0[at].run).set_leaf_place(Some(at));
    }
}
