//! All feeds of one endpoint.

use super::tracker::{FeedStep, FeedTracker};
use super::trust::{FeedStats, FeedTrust};
use super::union::{MOST_RANKS, Union};
use super::{FeedConfig, KvBatch, KvSink};
use crate::EndpointId;

/// What one endpoint's data-parallel ranks tell, taken together: a block is there as long as one of them holds it.
///
/// Each method is the [`FeedTracker`]'s of the same name, for one rank from 0; ranks beyond those configured are ignored.
#[derive(Debug)]
pub struct EndpointFeed {
    ranks: Vec<FeedTracker>,
    /// Unused where there is but one rank.
    union: Union,
}

impl EndpointFeed {
    /// The feeds of `ranks` ranks, 1 to 64.
    #[must_use]
    pub fn new(endpoint: EndpointId, ranks: u16, config: &FeedConfig) -> Self {
        let ranks = (0..ranks.clamp(1, MOST_RANKS))
            .map(|_| FeedTracker::new(endpoint, config))
            .collect();
        Self {
            ranks,
            union: Union::default(),
        }
    }

    /// How many ranks there are.
    #[must_use]
    pub fn ranks(&self) -> u16 {
        u16::try_from(self.ranks.len()).unwrap_or(MOST_RANKS)
    }

    /// See [`FeedTracker::connected`].
    pub fn connected(&mut self, rank: u16) -> FeedStep {
        self.ranks
            .get_mut(usize::from(rank))
            .map_or(FeedStep::Ignored, FeedTracker::connected)
    }

    /// See [`FeedTracker::live`].
    pub fn live(
        &mut self,
        rank: u16,
        seq: u64,
        batch: &KvBatch,
        received_unix_secs: f64,
        sink: &mut dyn KvSink,
    ) -> FeedStep {
        self.on(rank, sink, |tracker, sink| {
            tracker.live(seq, batch, received_unix_secs, sink)
        })
    }

    /// See [`FeedTracker::replayed`].
    pub fn replayed(
        &mut self,
        rank: u16,
        seq: u64,
        batch: &KvBatch,
        sink: &mut dyn KvSink,
    ) -> FeedStep {
        self.on(rank, sink, |tracker, sink| {
            tracker.replayed(seq, batch, sink)
        })
    }

    /// See [`FeedTracker::replay_ended`].
    pub fn replay_ended(&mut self, rank: u16, sink: &mut dyn KvSink) -> FeedStep {
        self.on(rank, sink, FeedTracker::replay_ended)
    }

    /// See [`FeedTracker::replay_failed`].
    pub fn replay_failed(&mut self, rank: u16, sink: &mut dyn KvSink) -> FeedStep {
        self.on(rank, sink, FeedTracker::replay_failed)
    }

    /// See [`FeedTracker::undecodable`].
    pub fn undecodable(&mut self, rank: u16, seq: u64, sink: &mut dyn KvSink) {
        let _ = self.on(rank, sink, |tracker, sink| {
            tracker.undecodable(seq, sink);
            FeedStep::Ignored
        });
    }

    /// See [`FeedTracker::reset`].
    pub fn reset(&mut self, rank: u16, sink: &mut dyn KvSink) {
        let _ = self.on(rank, sink, |tracker, sink| {
            tracker.reset(sink);
            FeedStep::Ignored
        });
    }

    /// The least that one of the ranks deserves.
    #[must_use]
    pub fn trust(&self) -> FeedTrust {
        self.ranks
            .iter()
            .map(FeedTracker::trust)
            .max()
            .unwrap_or_default()
    }

    /// What all ranks have been through.
    #[must_use]
    pub fn stats(&self) -> FeedStats {
        self.ranks
            .iter()
            .map(FeedTracker::stats)
            .fold(FeedStats::default(), FeedStats::plus)
    }

    fn on(
        &mut self,
        rank: u16,
        sink: &mut dyn KvSink,
        step: impl FnOnce(&mut FeedTracker, &mut dyn KvSink) -> FeedStep,
    ) -> FeedStep {
        let is_alone = self.ranks.len() == 1;
        let Some(tracker) = self.ranks.get_mut(usize::from(rank)) else {
            return FeedStep::Ignored;
        };
        if is_alone {
            step(tracker, sink)
        } else {
            step(tracker, &mut self.union.rank(rank, sink))
        }
    }
}
