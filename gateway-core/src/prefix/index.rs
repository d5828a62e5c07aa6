//! The index as its users see it: what readers share, and the one writer's state behind a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::arena::Arena;
use super::edit::{Edit, State};
use super::heads::Heads;
use super::holder::Holder;
use super::lookup;
use super::matches::PrefixMatches;
use super::retract::Retraction;
use super::types::{PrefixIndexConfig, PrefixStats, StoreOutcome};
use crate::BlockHash;

/// Blocks that a writer handles before it lets others have their turn.
const TURN_BLOCKS: usize = 512;
/// Units that a clearing writer looks at before it lets others have their turn.
const TURN_UNITS: u32 = 4096;

/// An index of which endpoint holds which prefix; see the [module](super) for its contract.
///
/// Share it by reference or [`Arc`](std::sync::Arc). Events of one endpoint must arrive in their order; different
/// endpoints may be written from different threads.
pub struct PrefixIndex {
    shared: Shared,
    writer: Mutex<State>,
}

/// What readers and the writer both reach.
pub(super) struct Shared {
    pub(super) arena: Arena,
    pub(super) heads: Heads,
    pub(super) budget_bytes: usize,
    /// Counts stores: the only time the index knows.
    clock: AtomicU64,
    slack: AtomicU64,
}

impl Shared {
    pub(super) fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// How far a stamp may lag: a 64th of the number of runs, and nothing in a small index.
    pub(super) fn stamp_slack(&self) -> u64 {
        self.slack.load(Ordering::Relaxed)
    }

    pub(super) fn set_stamp_slack(&self, runs: usize) {
        self.slack.store(runs as u64 / 64, Ordering::Relaxed);
    }
}

impl PrefixIndex {
    /// An empty index.
    #[must_use]
    pub fn new(config: PrefixIndexConfig) -> Self {
        let shared = Shared {
            arena: Arena::new(config.budget_bytes),
            heads: Heads::new(),
            budget_bytes: config.budget_bytes,
            clock: AtomicU64::new(0),
            slack: AtomicU64::new(0),
        };
        let writer = Mutex::new(State::new(&shared, size_of::<Self>()));
        Self { shared, writer }
    }

    /// Notes that `holder` now holds `blocks`, a stretch of one chain that follows `parent`.
    ///
    /// `parent` is `None` at the start of a chain, and may be a block that the index does not know. Blocks that the
    /// holder has already are refreshed.
    pub fn store(
        &self,
        holder: impl Into<Holder>,
        parent: Option<BlockHash>,
        blocks: &[BlockHash],
    ) -> StoreOutcome {
        self.shared.clock.fetch_add(1, Ordering::Relaxed);
        let (holder, mut parent) = (holder.into(), parent);
        let mut outcome = StoreOutcome::default();
        for turn in blocks.chunks(TURN_BLOCKS) {
            if outcome.rejected > 0 {
                // Nothing is held beyond a gap that the engine does not have.
                self.edit(|edit| edit.reject(turn.len(), &mut outcome));
                continue;
            }
            self.edit(|edit| edit.store(holder, parent, turn, &mut outcome));
            parent = turn.last().copied();
        }
        outcome
    }

    /// Notes that `holder` no longer holds `blocks`, in any order; unknown ones are ignored.
    pub fn remove(&self, holder: impl Into<Holder>, blocks: &[BlockHash]) {
        let retraction = Retraction {
            from: &[holder.into()],
            ..Retraction::default()
        };
        self.retract(&retraction, blocks);
    }

    /// Notes that several holders no longer hold `blocks`, in any order; unknown ones are ignored. Gives how many of
    /// them the witness holds.
    pub fn retract(&self, retraction: &Retraction<'_>, blocks: &[BlockHash]) -> usize {
        let turns = blocks.chunks(TURN_BLOCKS);
        turns
            .map(|turn| self.edit(|edit| edit.retract(retraction, turn)))
            .sum()
    }

    /// Makes `to` hold all that `from` holds now. Looks at every run in one turn, so it suits what happens once.
    pub fn mirror(&self, from: impl Into<Holder>, to: impl Into<Holder>) {
        let (from, to) = (from.into(), to.into());
        if from.index() < Holder::LIMIT && to.index() < Holder::LIMIT {
            self.edit(|edit| edit.mirror(from, to));
        }
    }

    /// Notes that `holder` holds nothing any more: it restarted, dropped its cache or left.
    ///
    /// Looks at every run, so it suits rare events. Stores of the same holder must wait until it returns.
    pub fn clear(&self, holder: impl Into<Holder>) {
        self.clear_all(&[holder.into()]);
    }

    /// As [`clear`](Self::clear) for several holders at once.
    pub fn clear_all(&self, holders: &[Holder]) {
        let end = self.edit(|edit| edit.begin_clear(holders));
        let mut from = 0;
        while from < end {
            let to = end.min(from + TURN_UNITS);
            self.edit(|edit| edit.clear_units(holders, from..to));
            from = to;
        }
        self.edit(|edit| edit.end_clear(holders));
    }

    /// Fills `matches` with the number of leading blocks of `query` that each endpoint holds.
    ///
    /// Takes no lock. What it finds counts as used.
    pub fn lookup(&self, query: &[BlockHash], matches: &mut PrefixMatches) {
        lookup::lookup(&self.shared, query, matches);
    }

    /// The size of the index and its losses.
    #[must_use]
    pub fn stats(&self) -> PrefixStats {
        self.writer().stats()
    }

    fn edit<T>(&self, change: impl FnOnce(&mut Edit<'_>) -> T) -> T {
        change(&mut Edit::new(&self.shared, &mut self.writer()))
    }

    /// A writer that panicked has broken an invariant at worst for its own run, never memory: the index goes on.
    fn writer(&self) -> MutexGuard<'_, State> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for PrefixIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrefixIndex")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
