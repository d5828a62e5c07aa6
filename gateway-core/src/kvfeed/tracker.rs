//! The order of one source's messages: gaps, replays, restarts.

use std::collections::VecDeque;

use super::source::{Source, Wipe};
use super::trust::{FeedStats, FeedTrust, Weakness};
use super::{FeedConfig, KvBatch, KvSink};
use crate::EndpointId;

/// What became of a message, and what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum FeedStep {
    /// It was applied.
    Applied,
    /// It waits until the gap before it is filled.
    Held,
    /// It was known already.
    Ignored,
    /// It waits, and the engine is to be asked for all messages from this one on. Hand in what it answers with
    /// [`replayed`](FeedTracker::replayed), then [`replay_ended`](FeedTracker::replay_ended), or, if it does not
    /// answer, [`replay_failed`](FeedTracker::replay_failed).
    Replay {
        /// The first sequence number wanted.
        from: u64,
    },
}

/// Follows one source: one publisher, which is one data-parallel rank of one engine.
///
/// Messages are applied in the order of their sequence numbers and once each. Where a number is missing, the tracker
/// asks for a replay and holds what comes meanwhile. Where the replay cannot fill the gap, all that the source had told
/// is dropped ([`KvSink::lost`]), because a removal may have been lost; it goes on from there with less trust. A number
/// that was passed before means that the publisher started anew, with an empty cache ([`KvSink::cleared`]).
///
/// Sequence numbers carry no epoch. A publisher that restarted while nobody listened and has meanwhile come further than
/// before looks like a gap; so a replay is asked one message early, and that message must bear the time of the last
/// one applied. Where the connection itself was lost, call [`reset`](Self::reset).
#[derive(Debug)]
pub struct FeedTracker {
    source: Source,
    phase: Phase,
    /// The number to be applied next.
    next: u64,
    /// One more than the last number that was published live.
    live_next: u64,
    /// The time in the message before `next`, as its bits.
    anchor: Option<u64>,
    held: VecDeque<(u64, KvBatch)>,
    held_bytes: usize,
    held_limit_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing has come yet.
    Fresh,
    /// In step.
    Live,
    /// Waiting for a replay.
    Replaying,
}

impl FeedTracker {
    /// A tracker that knows nothing yet.
    #[must_use]
    pub fn new(endpoint: EndpointId, config: &FeedConfig) -> Self {
        Self {
            source: Source::new(endpoint, config),
            phase: Phase::Fresh,
            next: 0,
            live_next: 0,
            anchor: None,
            held: VecDeque::new(),
            held_bytes: 0,
            held_limit_bytes: config.held_limit_bytes,
        }
    }

    /// The subscription stands: asks for everything from the start, to know what the engine holds before it tells more.
    pub fn connected(&mut self) -> FeedStep {
        match self.phase {
            Phase::Fresh => self.ask(0),
            Phase::Live | Phase::Replaying => FeedStep::Ignored,
        }
    }

    /// Takes a published message, received at `received_unix_secs` by a clock that is comparable to the engine's.
    pub fn live(
        &mut self,
        seq: u64,
        batch: &KvBatch,
        received_unix_secs: f64,
        sink: &mut dyn KvSink,
    ) -> FeedStep {
        self.source.note_lag(batch, received_unix_secs);
        if self.phase != Phase::Fresh && seq < self.live_next {
            return self.restarted(seq, batch, sink);
        }
        self.live_next = seq.saturating_add(1);
        if seq == self.next && self.held.is_empty() {
            self.phase = Phase::Live;
            self.apply(seq, batch, sink);
            return FeedStep::Applied;
        }
        if seq < self.next {
            self.source.stats.duplicates += 1;
            return FeedStep::Ignored;
        }
        let is_known_gap = self.phase == Phase::Replaying;
        if !self.hold(seq, batch) {
            return self.overflow(seq, batch, sink);
        }
        if is_known_gap {
            return FeedStep::Held;
        }
        self.source.stats.gaps += 1;
        self.ask(self.next.saturating_sub(1))
    }

    /// Takes a message of a replay.
    pub fn replayed(&mut self, seq: u64, batch: &KvBatch, sink: &mut dyn KvSink) -> FeedStep {
        let is_other = self.anchor.is_some() && self.anchor != time_bits(batch);
        let is_before = seq.checked_add(1) == Some(self.next);
        if self.phase == Phase::Replaying && is_before && is_other {
            self.source.stats.restarts += 1;
            self.start_over(Wipe::Emptied, sink);
            return self.ask(0);
        }
        if self.phase != Phase::Replaying || seq < self.next {
            self.source.stats.duplicates += 1;
            return FeedStep::Ignored;
        }
        if seq > self.next {
            self.resync(seq, sink);
        }
        self.apply(seq, batch, sink);
        self.apply_held(sink);
        FeedStep::Applied
    }

    /// The engine has no more to replay.
    pub fn replay_ended(&mut self, sink: &mut dyn KvSink) -> FeedStep {
        if self.phase != Phase::Replaying {
            return FeedStep::Ignored;
        }
        self.give_up(sink)
    }

    /// The engine did not answer, or has no replay.
    pub fn replay_failed(&mut self, sink: &mut dyn KvSink) -> FeedStep {
        if self.phase == Phase::Replaying && self.held.is_empty() {
            // What it holds, and at which number it stands, shows with the next message.
            self.phase = if self.next == 0 {
                Phase::Fresh
            } else {
                Phase::Live
            };
            return FeedStep::Ignored;
        }
        self.replay_ended(sink)
    }

    /// A message could not be read: what it told is lost.
    pub fn undecodable(&mut self, seq: u64, sink: &mut dyn KvSink) {
        self.source.stats.decode_errors += 1;
        if self.phase == Phase::Replaying {
            // The replay goes on; so does what is held.
            if seq >= self.next {
                self.resync(seq.saturating_add(1), sink);
                self.apply_held(sink);
            }
            return;
        }
        self.resync(seq.saturating_add(1), sink);
        self.live_next = self.next;
        self.phase = Phase::Live;
    }

    /// The connection is lost, or the engine is known to have restarted: forgets all that it told.
    pub fn reset(&mut self, sink: &mut dyn KvSink) {
        self.start_over(Wipe::Lost(None), sink);
        self.live_next = 0;
        self.phase = Phase::Fresh;
        self.source.stats.lag_secs = None;
    }

    /// How far what is known may be trusted.
    #[must_use]
    pub fn trust(&self) -> FeedTrust {
        match self.phase {
            Phase::Fresh => FeedTrust::Fallback,
            Phase::Replaying => FeedTrust::Degraded(Weakness::Replaying),
            Phase::Live => self.source.trust(),
        }
    }

    /// What it has been through.
    #[must_use]
    pub fn stats(&self) -> FeedStats {
        FeedStats {
            held: self.held.len(),
            ..self.source.stats
        }
    }

    fn apply(&mut self, seq: u64, batch: &KvBatch, sink: &mut dyn KvSink) {
        self.source.apply(batch, sink);
        self.next = seq.saturating_add(1);
        self.anchor = time_bits(batch);
    }

    fn ask(&mut self, from: u64) -> FeedStep {
        self.phase = Phase::Replaying;
        self.source.stats.replays += 1;
        FeedStep::Replay { from }
    }

    /// A number came that was passed before.
    fn restarted(&mut self, seq: u64, batch: &KvBatch, sink: &mut dyn KvSink) -> FeedStep {
        self.source.stats.restarts += 1;
        self.start_over(Wipe::Emptied, sink);
        self.live_next = seq.saturating_add(1);
        if seq == 0 {
            self.phase = Phase::Live;
            self.apply(seq, batch, sink);
            return FeedStep::Applied;
        }
        if !self.hold(seq, batch) {
            return self.overflow(seq, batch, sink);
        }
        self.ask(0)
    }

    /// Forgets what is known and where it stood.
    fn start_over(&mut self, why: Wipe, sink: &mut dyn KvSink) {
        self.drop_held();
        self.source.wipe(why, sink);
        self.next = 0;
        self.anchor = None;
    }

    /// Keeps a copy for later; false where there is no room.
    fn hold(&mut self, seq: u64, batch: &KvBatch) -> bool {
        let bytes = batch.weight_bytes();
        if self.held_bytes + bytes > self.held_limit_bytes {
            return false;
        }
        self.held_bytes += bytes;
        self.held.push_back((seq, batch.clone()));
        true
    }

    fn drop_held(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
    }

    /// Drops what is known, because messages before `seq` are lost.
    fn resync(&mut self, seq: u64, sink: &mut dyn KvSink) {
        self.source.stats.resyncs += 1;
        let why = Wipe::Lost(Some(Weakness::Resynced));
        self.source.wipe(why, sink);
        self.next = seq;
        self.anchor = None;
    }

    /// Applies what was held, as far as nothing is missing.
    fn apply_held(&mut self, sink: &mut dyn KvSink) {
        while self.held.front().is_some_and(|(seq, _)| *seq <= self.next) {
            let Some((seq, batch)) = self.held.pop_front() else {
                break;
            };
            self.held_bytes -= batch.weight_bytes();
            if seq == self.next {
                self.apply(seq, &batch, sink);
            }
            if self.held.is_empty() {
                self.phase = Phase::Live;
            }
        }
    }

    /// Goes on with what is held although something before it is missing.
    fn give_up(&mut self, sink: &mut dyn KvSink) -> FeedStep {
        self.phase = Phase::Live;
        let Some(first) = self.held.front().map(|(seq, _)| *seq) else {
            return FeedStep::Ignored;
        };
        if first > self.next {
            self.resync(first, sink);
        }
        self.apply_held(sink);
        if self.held.is_empty() {
            return FeedStep::Applied;
        }
        self.source.stats.gaps += 1;
        self.ask(self.next.saturating_sub(1))
    }

    /// There is no room to hold a message: goes on without a replay.
    fn overflow(&mut self, seq: u64, batch: &KvBatch, sink: &mut dyn KvSink) -> FeedStep {
        while self.give_up(sink) != FeedStep::Ignored {}
        if seq > self.next {
            self.resync(seq, sink);
        }
        self.apply(seq, batch, sink);
        FeedStep::Applied
    }
}

fn time_bits(batch: &KvBatch) -> Option<u64> {
    batch.published_unix_secs().map(f64::to_bits)
}
