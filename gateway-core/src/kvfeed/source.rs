//! What one source has told, and how far that may be trusted, apart from the order of its messages.

use super::blocks::Blocks;
use super::trust::{FeedStats, FeedTrust, Weakness};
use super::{FeedConfig, KvBatch, KvEvent, KvSink, Removed, Stored};
use crate::EndpointId;

/// Removals of known blocks in succession after which what was once missed is taken to be gone: engines evict what they
/// have not used for longest.
const HEALED_AFTER: u64 = 1024;

/// Why all that is known goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wipe {
    /// The engine holds nothing now.
    Emptied,
    /// What the engine holds is not known any more. It stays so for this reason, unless the engine tells it all anew.
    Lost(Option<Weakness>),
}

/// The state behind one sequence of messages.
#[derive(Debug)]
pub(super) struct Source {
    endpoint: EndpointId,
    blocks: Blocks,
    /// The cache group whose blocks count: the first dense one that stores. Others hold the same prompts.
    group: Option<u32>,
    /// Why not all that the engine holds is known.
    missing: Option<Weakness>,
    /// Known blocks removed since something unknown last came up.
    known_run: u64,
    late_after_secs: f64,
    pub(super) stats: FeedStats,
}

impl Source {
    pub(super) fn new(endpoint: EndpointId, config: &FeedConfig) -> Self {
        Self {
            endpoint,
            blocks: Blocks::new(endpoint, config.block_tokens as usize, config.block_limit),
            group: None,
            missing: None,
            known_run: 0,
            late_after_secs: config.late_after_secs,
            stats: FeedStats::default(),
        }
    }

    /// Drops all that is known.
    pub(super) fn wipe(&mut self, why: Wipe, sink: &mut dyn KvSink) {
        self.blocks.clear();
        self.missing = match why {
            Wipe::Emptied => {
                sink.cleared(self.endpoint);
                None
            }
            Wipe::Lost(missing) => {
                sink.lost(self.endpoint);
                missing
            }
        };
        self.group = None;
        self.known_run = 0;
        self.stats.blocks = 0;
    }

    /// Applies a message.
    pub(super) fn apply(&mut self, batch: &KvBatch, sink: &mut dyn KvSink) {
        self.stats.batches += 1;
        self.stats.unknown_events += u64::from(batch.unknown_events());
        self.stats.published_unix_secs = batch.published_unix_secs();
        for event in batch.events() {
            self.stats.events += 1;
            match event {
                KvEvent::Stored(stored) => self.stored(&stored, sink),
                KvEvent::Removed(removed) => self.removed(&removed, sink),
                KvEvent::Cleared => {
                    self.stats.clears += 1;
                    // Now it is known what the engine holds: nothing.
                    self.wipe(Wipe::Emptied, sink);
                }
            }
        }
        self.blocks.flush(sink);
        self.stats.blocks = self.blocks.len();
        self.settle();
    }

    /// Notes how long the newest message took. Clocks that differ, or jump back, make no lag.
    pub(super) fn note_lag(&mut self, batch: &KvBatch, received_unix_secs: f64) {
        self.stats.lag_secs = batch
            .published_unix_secs()
            .map(|published| (received_unix_secs - published).max(0.0));
    }

    /// How far the state may be trusted.
    pub(super) fn trust(&self) -> FeedTrust {
        let is_late = self
            .stats
            .lag_secs
            .is_some_and(|lag| lag > self.late_after_secs);
        match self.missing {
            Some(weakness) => FeedTrust::Degraded(weakness),
            None if is_late => FeedTrust::Degraded(Weakness::Late),
            None => FeedTrust::Exact,
        }
    }

    fn stored(&mut self, event: &Stored<'_>, sink: &mut dyn KvSink) {
        let origin = event.origin;
        if !origin.dense || self.group.is_some_and(|group| group != origin.group) {
            self.stats.ignored_groups += 1;
            return;
        }
        self.group = Some(origin.group);
        self.blocks.stored(event, sink);
    }

    fn removed(&mut self, event: &Removed<'_>, sink: &mut dyn KvSink) {
        let foreign = |group| self.group.is_some_and(|own| own != group);
        if event.group.is_some_and(foreign) {
            self.stats.ignored_groups += 1;
            return;
        }
        self.blocks.removed(event, sink);
    }

    /// Draws conclusions from how the blocks of a message fared.
    fn settle(&mut self) {
        let done = std::mem::take(&mut self.blocks.done);
        self.stats.stored += done.stored;
        self.stats.removed += done.removed;
        self.stats.orphans += done.orphans;
        self.stats.malformed += done.malformed;
        self.stats.refused += done.refused;
        self.stats.unknown_removed += done.unknown;
        if done.refused > 0 {
            self.missing = Some(Weakness::Full);
        } else if done.orphans + done.malformed > 0 {
            self.missing = self.missing.or(Some(Weakness::Orphans));
        }
        if done.refused + done.orphans + done.malformed + done.unknown > 0 {
            self.known_run = 0;
        } else {
            self.known_run += done.removed;
        }
        if self.known_run >= HEALED_AFTER {
            self.missing = None;
        }
    }
}
