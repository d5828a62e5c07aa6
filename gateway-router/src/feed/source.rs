//! One publisher's task: connect, catch up, take in, again.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    task::yield_now,
    time::{Instant, sleep},
};

use super::{
    FeedSettings, FeedSource,
    link::Link,
    listen::{Listeners, Said},
    rank::{Rank, Replayed},
    replay::Asked,
    zmtp::ZmtpError,
};

/// Messages taken in before others on this thread have their turn.
const SLICE: u32 = 8;
/// Replays asked for in a row before what is missing is given up.
const REPLAYS_AT_MOST: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A connection that held so long begins the pauses anew.
const STEADY_AFTER: Duration = Duration::from_secs(10);

/// What a publisher's task works with.
pub(super) struct Source {
    pub(super) source: FeedSource,
    pub(super) settings: FeedSettings,
    pub(super) listeners: Listeners,
    pub(super) rank: Rank,
    /// Told when the connection was lost: the engine may have moved.
    pub(super) lost: Arc<Notify>,
    /// Tells that the engine has restarted, as its other words show.
    pub(super) restarted: Arc<Notify>,
}

impl Source {
    /// Takes in what the publisher says until the task is aborted.
    pub(super) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let patience = self.settings.patience;
            let began = Instant::now();
            let error = match Link::open(&self.source, &self.listeners, patience).await {
                Ok(link) => self.follow(link).await,
                Err(error) => error,
            };
            tracing::debug!(
                endpoint = self.rank.endpoint(), rank = self.source.rank, address = %self.source.publish, %error,
                "KV feed lost, connecting again"
            );
            self.rank.lost();
            self.lost.notify_one();
            if began.elapsed() >= STEADY_AFTER {
                pause = FIRST_PAUSE;
            }
            sleep(pause).await;
            pause = (pause * 2).min(self.settings.back_off_at_most);
        }
    }

    /// Takes in messages until the connection is lost.
    async fn follow(&mut self, mut link: Link) -> ZmtpError {
        let restarted = Arc::clone(&self.restarted);
        let first = self.rank.opened();
        self.fill(first).await;
        let mut taken = 0_u32;
        loop {
            let event = tokio::select! {
                biased;
                () = restarted.notified() => Event::Restarted,
                said = link.recv() => Event::Said(said),
                // Where nothing comes for as long as a lag, nothing is behind.
                () = sleep(self.settings.lag_at_most), if self.rank.is_late() => Event::Idle,
            };
            let wanted = match event {
                Event::Restarted => self.rank.restarted(),
                Event::Idle => {
                    self.rank.idle();
                    None
                }
                Event::Said(Ok(Said::Message(message))) => self.rank.live(&message),
                Event::Said(Ok(Said::Left)) => {
                    self.rank.lost();
                    None
                }
                Event::Said(Err(error)) => return error,
            };
            self.fill(wanted).await;
            taken = taken.wrapping_add(1);
            if taken.is_multiple_of(SLICE) {
                yield_now().await;
            }
        }
    }

    /// Asks for what was missed, until nothing is or it cannot be had. Live messages wait meanwhile.
    async fn fill(&mut self, mut wanted: Option<u64>) {
        for _ in 0..REPLAYS_AT_MOST {
            let Some(first) = wanted else {
                return;
            };
            wanted = match self.replay(first).await {
                Ok(next) => next,
                Err(error) => {
                    let rank = self.source.rank;
                    tracing::debug!(endpoint = self.rank.endpoint(), rank, %error, "no replay of KV events");
                    self.rank.no_replay();
                    None
                }
            };
        }
        if wanted.is_some() {
            self.rank.no_replay();
        }
    }

    /// One question; gives the next one, where there is one.
    async fn replay(&mut self, first: u64) -> Result<Option<u64>, ZmtpError> {
        let Some(address) = &self.source.replay else {
            self.rank.no_replay();
            return Ok(None);
        };
        let mut asked = Asked::from(address, first, self.settings.patience).await?;
        let mut taken = 0_u32;
        loop {
            let message = asked.next().await?;
            match self.rank.replayed(&message) {
                Replayed::Goes => {}
                Replayed::Ends(next) => return Ok(next),
            }
            taken = taken.wrapping_add(1);
            if taken.is_multiple_of(SLICE) {
                yield_now().await;
            }
        }
    }
}

/// What a source waits for.
enum Event {
    Restarted,
    Said(Result<Said, ZmtpError>),
    Idle,
}
