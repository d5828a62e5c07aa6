//! What the tasks of one engine share, and the task that moves its models through time.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use gateway_core::Timestamp;
use tokio::sync::watch;

use super::adapters::Adapters;
use super::clock::Clock;
use super::config::SimConfig;
use super::error::ApiError;
use super::faults::{FaultControl, FaultKind, FaultSpec};
use super::kv::Fate;
use super::rank::{Rank, Submission};
use super::recorder::Recorder;
use super::stats::{Counters, SimStats};
use super::ticket::{Progress, Ticket};
use super::transfer::Transfer;
use crate::model::{KvEvent, ModelMetrics};
use crate::text::Voice;

/// Whether the engine's process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Life {
    Up,
    /// The listener is closed and streams stand still, but connections stay open.
    Stopping,
    Dead,
}

impl Life {
    /// Waits until the engine is at least that far gone. An engine without a handle is, too.
    pub(super) async fn reached(life: &mut watch::Receiver<Self>, least: Self) {
        let _ = life.wait_for(|now| *now >= least).await;
    }
}

/// Everything the tasks of one engine share.
#[derive(Debug)]
pub(super) struct Shell {
    pub(super) config: SimConfig,
    pub(super) voice: Voice,
    pub(super) clock: Clock,
    pub(super) faults: FaultControl,
    pub(super) counters: Counters,
    pub(super) life: watch::Sender<Life>,
    pub(super) adapters: Adapters,
    pub(super) transfer: Option<Transfer>,
    /// At least one.
    pub(super) ranks: Vec<Rank>,
}

impl Shell {
    pub(super) fn new(
        config: SimConfig,
        voice: Voice,
        clock: Clock,
        ranks: Vec<Rank>,
        transfer: Option<Transfer>,
    ) -> Self {
        Self {
            clock,
            faults: FaultControl::new(config.seed),
            counters: Counters::default(),
            life: watch::Sender::new(Life::Up),
            adapters: Adapters::new(config.adapters.clone()),
            transfer,
            ranks,
            voice,
            config,
        }
    }

    /// Moves one rank's model until the engine dies.
    pub(super) async fn drive(self: Arc<Self>, rank: usize) {
        let rank = &self.ranks[rank];
        let mut life = self.life.subscribe();
        loop {
            let idle = Duration::from_secs(3_600);
            let wait = self.catch_up(rank).map_or(idle, |at| self.clock.until(at));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = rank.wake.notified() => {}
                () = Life::reached(&mut life, Life::Dead) => return,
            }
        }
    }

    /// Queues sequences on one rank, all or none. An error names what the model refuses.
    pub(super) fn submit(
        self: &Arc<Self>,
        submissions: Vec<Submission>,
        rank: Option<usize>,
    ) -> Result<Ticket, ApiError> {
        let number = rank.unwrap_or_else(|| self.idlest());
        let rank = &self.ranks[number];
        let mut inner = rank.inner();
        let waiting = inner.model.metrics().waiting;
        if self
            .config
            .max_queued_requests
            .is_some_and(|most| waiting >= most)
        {
            Counters::add(&self.counters.rejected);
            return Err(ApiError::busy());
        }
        let (sender, receiver) = watch::channel(vec![Progress::default(); submissions.len()]);
        let sender = Arc::new(sender);
        let mut ids = Vec::with_capacity(submissions.len());
        let mut refusal = None;
        for (place, submission) in submissions.into_iter().enumerate() {
            match inner.submit(self.clock.now(), submission, &sender, place) {
                Ok(id) => {
                    ids.push(id);
                    Counters::add(&self.counters.submitted);
                }
                Err(error) => refusal = Some(error),
            }
        }
        drop(inner);
        let ticket = Ticket::new(Arc::clone(self), number, ids, receiver);
        if let Some(error) = refusal {
            return Err(ApiError::bad_request("", error.to_string()));
        }
        rank.wake.notify_one();
        Ok(ticket)
    }

    /// The rank with the least to do.
    fn idlest(&self) -> usize {
        let loads = self.ranks.iter().map(Rank::load).enumerate();
        loads
            .min_by_key(|(_, load)| *load)
            .map_or(0, |(rank, _)| rank)
    }

    pub(super) fn reset_prefix_cache(&self) {
        for rank in &self.ranks {
            rank.inner().model.reset_prefix_cache();
        }
    }

    /// Orders a fault, or lets it happen where it is one that happens at once.
    pub(super) fn inject(&self, spec: FaultSpec) {
        match spec.kind {
            FaultKind::Die => self.become_at_least(Life::Dead),
            FaultKind::Sigterm => self.become_at_least(Life::Stopping),
            FaultKind::Slow => self.slow_down(spec.factor.unwrap_or(2.0)),
            FaultKind::RestartKvFeed => self.restart_kv_feed(),
            _ => self.faults.arm(spec),
        }
    }

    fn slow_down(&self, factor: f64) {
        for rank in &self.ranks {
            rank.inner().model.set_slowdown(factor);
        }
    }

    fn restart_kv_feed(&self) {
        for rank in &self.ranks {
            let mut inner = rank.inner();
            inner.model.reset_prefix_cache();
            if let Some(kv) = &rank.kv {
                kv.restart();
            }
        }
    }

    /// Takes back all faults that can be; a dead engine stays dead.
    pub(super) fn clear_faults(&self) {
        self.faults.clear();
        self.slow_down(1.0);
    }

    pub(super) fn become_at_least(&self, life: Life) {
        self.life.send_if_modified(|now| {
            let is_later = *now < life;
            *now = life.max(*now);
            is_later
        });
    }

    pub(super) fn is_frozen(&self) -> bool {
        *self.life.borrow() != Life::Up
    }

    pub(super) fn stats(&self) -> SimStats {
        let counters = &self.counters;
        let mut stats = SimStats {
            connections: counters.connections.load(Relaxed),
            requests: counters.requests.load(Relaxed),
            submitted: counters.submitted.load(Relaxed),
            rejected: counters.rejected.load(Relaxed),
            kv_batches_dropped: counters.kv_batches_dropped.load(Relaxed),
            ..SimStats::default()
        };
        for rank in &self.ranks {
            let inner = rank.inner();
            let model = inner.model.metrics();
            stats.finished += model.finished;
            stats.aborted += model.aborted;
            stats.running += model.running;
            stats.waiting += model.waiting;
            stats.blocks_held += model.blocks_kept;
            stats.handoffs_held += inner.holdings.count();
            stats.handoffs_expired += inner.holdings.expired;
            stats.handoffs_missed += inner.holdings.missed;
        }
        if let Some(own) = &self.transfer {
            stats.pulls = own.counts.fetched.load(Relaxed);
            stats.pulls_spoilt = own.counts.spoilt.load(Relaxed);
            stats.pulls_failed = own.counts.failed.load(Relaxed);
        }
        stats
    }

    /// The metrics of all ranks together.
    pub(super) fn total(&self) -> ModelMetrics {
        let metrics = self.ranks.iter().map(|rank| rank.inner().model.metrics());
        metrics.reduce(ModelMetrics::plus).unwrap_or_default()
    }

    /// One rank's metrics and the histograms beside them, of one moment.
    pub(super) fn measure(rank: &Rank) -> (ModelMetrics, Recorder) {
        let inner = rank.inner();
        (inner.model.metrics(), inner.recorder.clone())
    }

    /// Ends all steps that are due; when there is something to do next.
    fn catch_up(&self, rank: &Rank) -> Option<Timestamp> {
        let mut inner = rank.inner();
        loop {
            let now = self.clock.now();
            inner.expire(now);
            let expiry = inner.holdings.next_expiry();
            let step = inner.model.next_step_at();
            if step.is_none_or(|at| at > now) {
                return [step, expiry].into_iter().flatten().min();
            }
            let output = inner.model.step(now);
            let keeps = inner.spread(now, &output, self.lease_end());
            if let Some(own) = self.transfer.as_ref().filter(|_| keeps) {
                own.announce();
            }
            self.publish(rank, output.kv_events);
        }
    }

    fn publish(&self, rank: &Rank, events: Vec<KvEvent>) {
        let Some(kv) = rank.kv.as_ref().filter(|_| !events.is_empty()) else {
            return;
        };
        let fate = if self.faults.strike(FaultKind::DropKvBatch).is_some() {
            Fate::Dropped
        } else if self.faults.strike(FaultKind::LoseKvBatch).is_some() {
            Fate::LostOnTheWay
        } else if let Some(spec) = self.faults.strike(FaultKind::LateKvBatch) {
            Fate::Late(Duration::from_millis(spec.millis.unwrap_or(1_000)))
        } else {
            Fate::Sent
        };
        if !kv.give(events, fate) {
            Counters::add(&self.counters.kv_batches_dropped);
        }
    }
}
