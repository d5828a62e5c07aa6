//! One data-parallel rank: a model under a lock, and who hears of its progress.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_core::Timestamp;
use tokio::sync::{Notify, watch};

use super::kv::Outlet;
use super::recorder::Recorder;
use super::ticket::Progress;
use super::transfer::{Content, Holdings};
use crate::model::{
    ConfigError, EngineConfig, EngineModel, Request, RequestId, StepOutput, SubmitError,
};

/// A scheduler and a cache of its own.
#[derive(Debug)]
pub(super) struct Rank {
    pub(super) number: u32,
    pub(super) kv: Option<Outlet>,
    pub(super) wake: Notify,
    inner: Mutex<Inner>,
}

/// Where the progress of all sequences of one HTTP request is told.
pub(super) type Listener = Arc<watch::Sender<Vec<Progress>>>;

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) model: EngineModel,
    pub(super) recorder: Recorder,
    pub(super) holdings: Holdings,
    /// Who hears of a sequence, and as which of its own.
    pub(super) listeners: HashMap<RequestId, (Listener, usize)>,
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
    /// Tokens of the prompt whose KV another engine computed.
    pub(super) brought_tokens: usize,
    /// Under which name its blocks are kept for another engine.
    pub(super) kept_as: Option<String>,
}

impl Rank {
    pub(super) fn new(
        number: u32,
        engine: EngineConfig,
        time_scale: f64,
        kv: Option<Outlet>,
    ) -> Result<Self, ConfigError> {
        let inner = Inner {
            model: EngineModel::new(engine)?,
            recorder: Recorder::new(time_scale),
            holdings: Holdings::default(),
            listeners: HashMap::new(),
            next_id: 0,
        };
        Ok(Self {
            number,
            kv,
            wake: Notify::new(),
            inner: Mutex::new(inner),
        })
    }

    /// A panic elsewhere leaves the model between two whole operations.
    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sequences in the batch and before it.
    pub(super) fn load(&self) -> u32 {
        let model = self.inner().model.metrics();
        model.running + model.waiting
    }
}

impl Inner {
    /// Queues one sequence under a name of its own.
    pub(super) fn submit(
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
            brought_tokens,
            kept_as,
        } = submission;
        let tokens = prompt.len();
        let kept = kept_as.map(|name| (name, Content::of(&prompt)));
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
        self.model.bring(id, brought_tokens);
        if let Some((name, content)) = kept {
            self.model.keep(id);
            self.holdings.expect(name, id, content);
        }
        self.recorder.arrived(id, now, tokens, is_cut);
        self.listeners.insert(id, (Arc::clone(listener), place));
        Ok(id)
    }

    /// Takes back a sequence that is not finished.
    pub(super) fn withdraw(&mut self, id: RequestId) {
        if self.listeners.remove(&id).is_some() {
            self.model.abort(id);
            self.recorder.left(id);
            self.holdings.left(id);
        }
    }

    /// Tells listeners and histograms of a step. Blocks kept for others are held until `lease`; whether there are new ones.
    pub(super) fn spread(&mut self, now: Timestamp, output: &StepOutput, lease: Timestamp) -> bool {
        self.recorder.heard(now, output);
        let mut keeps = false;
        for id in &output.finished {
            keeps |= self.holdings.finished(*id, lease);
        }
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
        keeps
    }

    /// Frees the blocks that nobody fetched in time.
    pub(super) fn expire(&mut self, now: Timestamp) {
        for id in self.holdings.expire(now) {
            self.model.let_go(id);
        }
    }

    fn tell(&self, id: RequestId, change: impl FnOnce(&mut Progress)) {
        if let Some((listener, place)) = self.listeners.get(&id) {
            listener.send_modify(|all| change(&mut all[*place]));
        }
    }
}
