//! An engine that keeps its events until it is asked for them: ask, take in, again.
//!
//! Whoever asks takes the events away, so there can be one asker alone: where another one shares them, both see gaps and
//! know little. A process that has begun anew shows by its numbers.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use gateway_core::kvfeed::{FeedStep, KvBatch};
use gateway_proto::kv_events::{Polled, PolledEvent, PolledRank};
use tokio::{task::yield_now, time::sleep};

use super::{FeedSettings, board::Board, settings::RANKS_AT_MOST};
use crate::{Clock, engine::EngineClient};

/// The shortest pause between two questions.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
/// Events taken in before others on this thread have their turn.
const SLICE: usize = 32;

/// Asks one engine.
pub(super) struct Poller {
    client: Arc<dyn EngineClient>,
    board: Arc<Board>,
    settings: FeedSettings,
    ranks: Vec<PolledRank>,
    batch: KvBatch,
    /// When the last answer was there, in seconds of Unix time: no event of the next one is older.
    asked_unix_secs: Option<f64>,
    has_news: bool,
}

impl Poller {
    pub(super) fn new(
        client: Arc<dyn EngineClient>,
        board: Arc<Board>,
        mut settings: FeedSettings,
    ) -> Self {
        settings.poll_every = settings.poll_every.max(SHORTEST_PAUSE);
        Self {
            client,
            board,
            settings,
            ranks: Vec::new(),
            batch: KvBatch::new(),
            asked_unix_secs: None,
            has_news: false,
        }
    }

    /// Takes in what `said` tells and what comes after it, until the engine cannot be asked any more.
    pub(super) async fn run(mut self, mut said: Bytes) {
        let mut pause = self.settings.poll_every;
        self.expect(1);
        loop {
            self.take(&said).await;
            // An engine that never has any was not told to keep them.
            pause = match self.has_news {
                true => self.settings.poll_every,
                false => pause.saturating_mul(2).min(self.slowest()),
            };
            sleep(pause).await;
            match self.client.take_events().await {
                Ok(Some(answer)) => said = answer,
                Ok(None) | Err(_) => break,
            }
        }
        self.board.expect(0);
    }

    fn slowest(&self) -> Duration {
        self.settings.back_off_at_most.max(self.settings.poll_every)
    }

    /// Makes place for so many ranks; those before forget what they told.
    fn expect(&mut self, ranks: usize) {
        self.board.expect(ranks);
        self.ranks = (0..ranks).map(|_| PolledRank::new()).collect();
        for at in 0..RANKS_AT_MOST.min(count(ranks)) {
            self.board.set_connected(place(at), true);
        }
    }

    async fn take(&mut self, said: &[u8]) {
        let before = self.asked_unix_secs.replace(Clock::unix_seconds());
        let Ok(answer) = Polled::parse(said) else {
            self.board.broken();
            return;
        };
        for _ in 0..answer.unreadable {
            self.board.broken();
        }
        let numbers = answer.events.iter().map(|event| event.rank.unwrap_or(0));
        let most = numbers.max().map_or(0, |rank| rank.saturating_add(1));
        let most = most.min(RANKS_AT_MOST) as usize;
        if most > self.ranks.len() {
            self.expect(most);
        }
        for events in answer.events.chunks(SLICE) {
            for event in events {
                self.has_news = true;
                self.apply(event, before);
            }
            yield_now().await;
        }
    }

    fn apply(&mut self, event: &PolledEvent<'_>, published_unix_secs: Option<f64>) {
        let number = event.rank.unwrap_or(0);
        let Some(rank) = self.ranks.get_mut(number as usize) else {
            self.board.broken();
            return;
        };
        let at = place(number);
        if let Err(error) = rank.read(event, published_unix_secs, &mut self.batch) {
            tracing::debug!(endpoint = self.board.name(), seq = event.seq, %error, "a KV event cannot be read");
            self.board
                .apply(at, |feed, sink| feed.undecodable(at, event.seq, sink));
            return;
        }
        let now = self.asked_unix_secs.unwrap_or_default();
        self.board.apply(at, |feed, sink| {
            let step = feed.live(at, event.seq, &self.batch, now, sink);
            if let FeedStep::Replay { .. } = step {
                // What was taken away or dropped does not come again.
                let _ = feed.replay_failed(at, sink);
            }
        });
    }
}

fn count(ranks: usize) -> u32 {
    u32::try_from(ranks).unwrap_or(u32::MAX)
}

/// The place of a rank on the board; there are no more than fit.
fn place(rank: u32) -> u16 {
    u16::try_from(rank).unwrap_or(u16::MAX)
}
