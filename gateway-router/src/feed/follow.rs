//! Keeping an endpoint's feeds: find the publishers, run a task for each, find them again when one is lost.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gateway_core::{Endpoint, Fleet};
use tokio::{
    runtime::Handle,
    sync::Notify,
    task::{JoinHandle, JoinSet, yield_now},
    time::{sleep, timeout},
};

use super::{
    FeedSettings, FeedSource, FeedStatus, KvEvents, board::Board, listen::Listeners, poll::Poller,
    rank::Rank, source::Source,
};
use crate::{ErrorKind, engine::EngineClient};

const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// What an endpoint's feeds depend on: where it changes, they begin anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FedBy {
    pub(crate) events: KvEvents,
    /// The engine's host.
    pub(crate) host: String,
    /// The one rank that is meant, where the endpoint is one of several behind its address.
    pub(crate) rank: Option<u32>,
    pub(crate) settings: FeedSettings,
}

/// What it takes to follow one endpoint's feeds.
pub(crate) struct Follower {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) fleet: Fleet,
    pub(crate) client: Arc<dyn EngineClient>,
    pub(crate) told: FedBy,
    pub(crate) listeners: Listeners,
}

/// An endpoint's feeds under way; dropping it ends them, and what they told is forgotten.
pub(crate) struct Following {
    board: Arc<Board>,
    restarted: Arc<EngineRestarted>,
    task: Option<JoinHandle<()>>,
}

/// Tells an endpoint's feeds that the engine has restarted: what they said holds no more.
#[derive(Default)]
pub(crate) struct EngineRestarted(Mutex<Vec<Arc<Notify>>>);

impl EngineRestarted {
    pub(crate) fn tell(&self) {
        for rank in self.ranks().iter() {
            rank.notify_one();
        }
    }

    fn ranks(&self) -> MutexGuard<'_, Vec<Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Following {
    /// What is known of the feeds now.
    pub(crate) fn status(&self) -> FeedStatus {
        self.board.read()
    }

    /// Ends them, and waits until what they told is forgotten.
    async fn ended(mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            // It was aborted, so its end is an error.
            let _ = task.await;
        }
        let board = Arc::downgrade(&self.board);
        drop(self);
        // Its ranks end when they are next to run.
        while board.strong_count() > 0 {
            yield_now().await;
        }
    }

    /// Where to tell that the engine has restarted.
    pub(crate) fn engine_restarted(&self) -> Arc<EngineRestarted> {
        Arc::clone(&self.restarted)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Follower {
    /// Begins to follow, once `before` has ended and forgotten; `None` where there is nothing to follow.
    pub(crate) fn begin(self, before: Option<Following>, runtime: &Handle) -> Option<Following> {
        if self.told.events == KvEvents::Off {
            return None;
        }
        let name = Arc::from(self.endpoint.name());
        let board = Arc::new(Board::new(
            self.endpoint.id(),
            name,
            self.fleet.clone(),
            &self.told.settings,
        ));
        let restarted = Arc::new(EngineRestarted::default());
        let run = self.run(Arc::clone(&board), Arc::clone(&restarted));
        let task = runtime.spawn(async move {
            if let Some(before) = before {
                before.ended().await;
            }
            run.await;
        });
        Some(Following {
            board,
            restarted,
            task: Some(task),
        })
    }

    async fn run(self, board: Arc<Board>, restarted: Arc<EngineRestarted>) {
        let lost = Arc::new(Notify::new());
        let mut ranks = JoinSet::new();
        let mut running: Vec<FeedSource> = Vec::new();
        let mut failures = 0;
        loop {
            let found = self.sources(&running).await;
            let polled = match &found {
                Ok(sources) if sources.is_empty() => self.poll(&board).await,
                Ok(_) | Err(Unanswered) => Ok(()),
            };
            failures = match (&found, polled) {
                (Ok(_), Ok(())) => 0,
                _ => failures + 1,
            };
            if let Ok(sources) = found
                && sources != running
            {
                // Old ranks forget what they were told before new ones are told anything.
                ranks.shutdown().await;
                restarted.ranks().clear();
                self.start(&sources, &board, &lost, &restarted, &mut ranks);
                running = sources;
            }
            self.wait(failures, &lost).await;
        }
    }

    /// Asks an engine that keeps its events for as long as it answers; at once over where it keeps none.
    async fn poll(&self, board: &Arc<Board>) -> Result<(), Unanswered> {
        // Several askers behind one address would take the events from each other.
        if self.told.events != KvEvents::Auto || self.told.rank.is_some() {
            return Ok(());
        }
        let first = self.client.take_events().await.map_err(|_| Unanswered)?;
        let Some(first) = first else {
            return Ok(());
        };
        let client = Arc::clone(&self.client);
        let poller = Poller::new(client, Arc::clone(board), self.told.settings);
        poller.run(first).await;
        Err(Unanswered)
    }

    /// Waits until the publishers are to be found again.
    async fn wait(&self, failures: u32, lost: &Notify) {
        if failures > 0 {
            let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(10));
            sleep(pause.min(self.told.settings.back_off_at_most)).await;
        } else if self.told.events == KvEvents::Auto {
            let every = self.told.settings.discover_every;
            if timeout(every, lost.notified()).await.is_ok() {
                // An engine that is about to go says the same as before for a while.
                sleep(FIRST_PAUSE).await;
            }
        } else {
            std::future::pending().await
        }
    }

    async fn sources(&self, running: &[FeedSource]) -> Result<Vec<FeedSource>, Unanswered> {
        let mut sources = self.all_sources(running).await?;
        let only = self.told.rank;
        sources.retain(|source| only.is_none_or(|rank| rank == source.rank));
        Ok(sources)
    }

    async fn all_sources(&self, running: &[FeedSource]) -> Result<Vec<FeedSource>, Unanswered> {
        match &self.told.events {
            KvEvents::Off => Ok(Vec::new()),
            KvEvents::At(spec) => Ok(spec.sources(&self.told.host)),
            KvEvents::Auto => match self.client.feed_sources().await {
                Ok(sources) => Ok(sources),
                // It answered, but has no such route. One that had it before is on its way out or in.
                Err(error) if error.kind() == ErrorKind::EngineFailed && running.is_empty() => {
                    Ok(Vec::new())
                }
                Err(_) => Err(Unanswered),
            },
        }
    }

    fn start(
        &self,
        sources: &[FeedSource],
        board: &Arc<Board>,
        lost: &Arc<Notify>,
        restarted: &EngineRestarted,
        ranks: &mut JoinSet<()>,
    ) {
        board.expect(sources.len());
        for (at, source) in (0..).zip(sources) {
            let hint = Arc::new(Notify::new());
            restarted.ranks().push(Arc::clone(&hint));
            let source = Source {
                rank: Rank::new(at, self.told.rank, Arc::clone(board)),
                source: source.clone(),
                settings: self.told.settings,
                listeners: self.listeners.clone(),
                lost: Arc::clone(lost),
                restarted: hint,
            };
            ranks.spawn(source.run());
        }
    }
}

/// The engine did not say where it publishes.
struct Unanswered;
