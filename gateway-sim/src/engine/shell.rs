//! The model under a lock, and the task that moves it through time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gateway_core::Timestamp;
use tokio::sync::{Notify, watch};

use super::clock::Clock;
use super::config::SimConfig;
use super::error::ApiError;
use super::faults::{FaultControl, FaultKind, FaultSpec};
use super::kv::{Fate, KvFeed};
use super::recorder::Recorder;
use super::stats::{Counters, SimStats};
use super::ticket::{Progress, Ticket};
use crate::model::{
    ConfigError, EngineModel, KvEvent, ModelMetrics, Request, RequestId, StepOutput, SubmitError,
};
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
    pub(super) kv: Option<KvFeed>,
    inner: Mutex<Inner>,
    wake: Notify,
}

/// Where the progress of all sequences of one HTTP request is told.
type Listener = Arc<watch::Sender<Vec<Progress>>>;

#[derive(Debug)]
struct Inner {
    model: EngineModel,
    recorder: Recorder,
    /// Who hears of a sequence, and as which of its own.
    listeners: HashMap<RequestId, (Listener, usize)>,
    next_id: u64,
}

/// A sequence on its way to the model, which gives it a name.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) prompt: Arc<[u32]>,
    pub(super) output: Arc<[u32]>,
    pub(super) namespace: u64,
    /// Whether the answer ends at the token limit rather than by itself.
    pub(super) is_cut: bool,
}

impl Shell {
    pub(super) fn new(
        config: SimConfig,
        voice: Voice,
        kv: Option<KvFeed>,
    ) -> Result<Self, ConfigError> {
        let inner = Inner {
            model: EngineModel::new(config.engine.clone())?,
            recorder: Recorder::new(config.time_scale),
            listeners: HashMap::new(),
            next_id: 0,
        };
        Ok(Self {
            clock: Clock::start(config.time_scale),
            faults: FaultControl::new(config.seed),
            counters: Counters::default(),
            life: watch::Sender::new(Life::Up),
            kv,
            inner: Mutex::new(inner),
            wake: Notify::new(),
            voice,
            config,
        })
    }

    /// Moves the model until the engine dies.
    pub(super) async fn drive(self: Arc<Self>) {
        let mut life = self.life.subscribe();
        loop {
            let idle = Duration::from_secs(3_600);
            let wait = self.catch_up().map_or(idle, |at| self.clock.until(at));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.wake.notified() => {}
                () = Life::reached(&mut life, Life::Dead) => return,
            }
        }
    }

    /// Queues sequences, all or none. An error names what the model refuses.
    pub(super) fn submit(
        self: &Arc<Self>,
        submissions: Vec<Submission>,
    ) -> Result<Ticket, ApiError> {
        let mut inner = self.inner();
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
        let ticket = Ticket::new(Arc::clone(self), ids, receiver);
        if let Some(error) = refusal {
            return Err(ApiError::bad_request("", error.to_string()));
        }
        self.wake.notify_one();
        Ok(ticket)
    }

    /// Takes back those of the sequences that are not finished.
    pub(super) fn withdraw(&self, ids: &[RequestId]) {
        let mut inner = self.inner();
        for id in ids {
            if inner.listeners.remove(id).is_some() {
                inner.model.abort(*id);
                inner.recorder.left(*id);
            }
        }
    }

    pub(super) fn reset_prefix_cache(&self) {
        self.inner().model.reset_prefix_cache();
    }

    /// Orders a fault, or lets it happen where it is one that happens at once.
    pub(super) fn inject(&self, spec: FaultSpec) {
        match spec.kind {
            FaultKind::Die => self.become_at_least(Life::Dead),
            FaultKind::Sigterm => self.become_at_least(Life::Stopping),
            FaultKind::Slow => self.inner().model.set_slowdown(spec.factor.unwrap_or(2.0)),
            FaultKind::RestartKvFeed => self.restart_kv_feed(),
            _ => self.faults.arm(spec),
        }
    }

    fn restart_kv_feed(&self) {
        let mut inner = self.inner();
        inner.model.reset_prefix_cache();
        if let Some(kv) = &self.kv {
            kv.restart();
        }
    }

    /// Takes back all faults that can be; a dead engine stays dead.
    pub(super) fn clear_faults(&self) {
        self.faults.clear();
        self.inner().model.set_slowdown(1.0);
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
        use std::sync::atomic::Ordering::Relaxed;
        let model = self.inner().model.metrics();
        SimStats {
            connections: self.counters.connections.load(Relaxed),
            requests: self.counters.requests.load(Relaxed),
            submitted: self.counters.submitted.load(Relaxed),
            rejected: self.counters.rejected.load(Relaxed),
            kv_batches_dropped: self.counters.kv_batches_dropped.load(Relaxed),
            finished: model.finished,
            aborted: model.aborted,
            running: model.running,
            waiting: model.waiting,
        }
    }

    /// The model's metrics and the histograms beside them, of one moment.
    pub(super) fn measure(&self) -> (ModelMetrics, Recorder) {
        let inner = self.inner();
        (inner.model.metrics(), inner.recorder.clone())
    }

    /// Ends all steps that are due; when the next one will be.
    fn catch_up(&self) -> Option<Timestamp> {
        let mut inner = self.inner();
        loop {
            let now = self.clock.now();
            let at = inner.model.next_step_at()?;
            if at > now {
                return Some(at);
            }
            let output = inner.model.step(now);
            inner.spread(now, &output);
            self.publish(output.kv_events);
        }
    }

    fn publish(&self, events: Vec<KvEvent>) {
        let Some(kv) = self.kv.as_ref().filter(|_| !events.is_empty()) else {
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
        if !kv.publish(events, fate) {
            Counters::add(&self.counters.kv_batches_dropped);
        }
    }

    /// A panic elsewhere leaves the model between two whole operations.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Queues one sequence under a name of its own.
    fn submit(
        &mut self,
        now: Timestamp,
        submission: Submission,
        listener: &Listener,
        place: usize,
    ) -> Result<RequestId, SubmitError> {
        let id = RequestId(self.next_id);
        let Submission {
            prompt,
            output,
            namespace,
            is_cut,
        } = submission;
        let prompt_tokens = prompt.len();
        self.model.submit(
            now,
            Request {
                id,
                prompt,
                output,
                namespace,
            },
        )?;
        self.next_id += 1;
        self.recorder.arrived(id, now, prompt_tokens, is_cut);
        self.listeners.insert(id, (Arc::clone(listener), place));
        Ok(id)
    }

    /// Tells listeners and histograms of a step.
    fn spread(&mut self, now: Timestamp, output: &StepOutput) {
        self.recorder.heard(now, output);
        for token in &output.tokens {
            self.tell(token.id, |progress| {
                progress.tokens = token.index as usize + 1
            });
        }
        for admission in &output.admitted {
            self.tell(admission.id, |progress| {
                progress.cached_tokens = admission.cached_tokens
            });
        }
        for id in &output.finished {
            self.tell(*id, |progress| progress.is_finished = true);
            self.listeners.remove(id);
        }
    }

    fn tell(&self, id: RequestId, change: impl FnOnce(&mut Progress)) {
        if let Some((listener, place)) = self.listeners.get(&id) {
            listener.send_modify(|all| change(&mut all[*place]));
        }
    }
}
