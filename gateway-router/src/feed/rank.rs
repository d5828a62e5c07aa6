//! One rank's messages on their way from the wire to the board.

use std::sync::Arc;

use bytes::Bytes;
use gateway_core::kvfeed::{FeedStep, KvBatch};
use gateway_proto::kv_events::{Frames, Replay, decode};

use super::{board::Board, lag::Lag};
use crate::Clock;

/// The most frames that are looked at; messages have at most four.
const FRAMES: usize = 5;

/// What a source's messages go through.
pub(super) struct Rank {
    at: u16,
    /// The only rank whose events count; all where unset.
    only: Option<u32>,
    board: Arc<Board>,
    batch: KvBatch,
    lag: Lag,
    is_connected: bool,
}

/// What a message of a replay was.
pub(super) enum Replayed {
    /// One of several.
    Goes,
    /// The last; there may be more to ask for.
    Ends(Option<u64>),
}

impl Rank {
    /// The rank at this place of the board; `only` is the number of the one whose events count, where others may come the same way.
    pub(super) fn new(at: u16, only: Option<u32>, board: Arc<Board>) -> Self {
        Self {
            at,
            only,
            board,
            batch: KvBatch::new(),
            lag: Lag::default(),
            is_connected: false,
        }
    }

    /// The endpoint's name.
    pub(super) fn endpoint(&self) -> &str {
        self.board.name()
    }

    /// The connection stands; the first message to ask for.
    pub(super) fn opened(&mut self) -> Option<u64> {
        self.set_connected(true);
        wanted(self.board.apply(self.at, |feed, _| feed.connected(self.at)))
    }

    /// The connection is lost: what was told may hold no more.
    pub(super) fn lost(&mut self) {
        self.board
            .apply(self.at, |feed, sink| feed.reset(self.at, sink));
        self.set_connected(false);
    }

    fn set_connected(&mut self, is_connected: bool) {
        if self.is_connected != is_connected {
            self.is_connected = is_connected;
            self.board.set_connected(self.at, is_connected);
        }
    }

    /// The engine has restarted; the first message to ask for.
    pub(super) fn restarted(&mut self) -> Option<u64> {
        wanted(self.board.apply(self.at, |feed, sink| {
            feed.reset(self.at, sink);
            feed.connected(self.at)
        }))
    }

    /// Nothing has come for a while.
    pub(super) fn idle(&self) {
        self.board.idle(self.at);
    }

    /// Whether [`Self::idle`] would change anything.
    pub(super) fn is_late(&self) -> bool {
        self.board.is_late()
    }

    /// A published message; the first one to ask for, where some are missing.
    pub(super) fn live(&mut self, message: &[Bytes]) -> Option<u64> {
        // Where engines connect, one that left may come back.
        self.set_connected(true);
        let (frames, count) = slices(message);
        let Ok(frames) = Frames::parse(&frames[..count]) else {
            self.board.broken();
            return None;
        };
        if !self.decode(&frames) {
            return None;
        }
        let now = Clock::unix_seconds();
        let published = self.batch.published_unix_secs();
        let received = published.map_or(now, |at| at + self.lag.of(at, now));
        let step = self.board.apply(self.at, |feed, sink| {
            feed.live(self.at, frames.seq, &self.batch, received, sink)
        });
        wanted(step)
    }

    /// A message of a replay.
    pub(super) fn replayed(&mut self, message: &[Bytes]) -> Replayed {
        let (frames, count) = slices(message);
        match Replay::parse(&frames[..count]) {
            Ok(Replay::Message(frames)) if self.decode(&frames) => {
                let step = self.board.apply(self.at, |feed, sink| {
                    feed.replayed(self.at, frames.seq, &self.batch, sink)
                });
                match wanted(step) {
                    Some(first) => Replayed::Ends(Some(first)),
                    None => Replayed::Goes,
                }
            }
            Ok(Replay::Message(_)) => Replayed::Ends(None),
            Ok(Replay::End) => {
                let step = self
                    .board
                    .apply(self.at, |feed, sink| feed.replay_ended(self.at, sink));
                Replayed::Ends(wanted(step))
            }
            Err(_) => {
                self.board.broken();
                Replayed::Goes
            }
        }
    }

    /// No replay can be had.
    pub(super) fn no_replay(&mut self) {
        let _ = self
            .board
            .apply(self.at, |feed, sink| feed.replay_failed(self.at, sink));
    }

    /// Reads a payload into the batch; one that cannot be read is a loss that is counted.
    fn decode(&mut self, frames: &Frames<'_>) -> bool {
        let Err(error) = decode(frames.payload, &mut self.batch) else {
            self.leave_out_others();
            return true;
        };
        tracing::debug!(endpoint = self.board.name(), seq = frames.seq, %error, "KV events cannot be read");
        self.board.apply(self.at, |feed, sink| {
            feed.undecodable(self.at, frames.seq, sink);
        });
        false
    }

    /// Empties a batch of another rank, whose cache is not this endpoint's; its number counts, so that it leaves no gap.
    fn leave_out_others(&mut self) {
        let told = self.batch.rank();
        if self.only.is_some() && told.is_some() && told != self.only {
            let published = self.batch.published_unix_secs();
            self.batch.reset(published, told);
            self.board.of_another();
        }
    }
}

fn wanted(step: FeedStep) -> Option<u64> {
    match step {
        FeedStep::Replay { from } => Some(from),
        FeedStep::Applied | FeedStep::Held | FeedStep::Ignored => None,
    }
}

fn slices(message: &[Bytes]) -> ([&[u8]; FRAMES], usize) {
    let mut frames = [&[][..]; FRAMES];
    for (place, frame) in frames.iter_mut().zip(message) {
        *place = frame;
    }
    (frames, message.len().min(FRAMES))
}
