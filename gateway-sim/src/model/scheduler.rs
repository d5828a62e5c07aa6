//! The engine: requests in, steps through time, tokens and cache events out.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use gateway_core::Timestamp;

use super::blocks::BlockPool;
use super::plan::Step;
use super::sequence::Sequence;
use super::{ConfigError, EngineConfig, KvEvent, ModelMetrics, Request, RequestId, SubmitError};

/// A simulated engine without clock, sockets or threads.
#[derive(Debug)]
pub struct EngineModel {
    pub(super) config: EngineConfig,
    pub(super) pool: BlockPool,
    pub(super) sequences: HashMap<RequestId, Sequence>,
    /// In the order of admission.
    pub(super) running: Vec<RequestId>,
    pub(super) waiting: VecDeque<RequestId>,
    pub(super) metrics: ModelMetrics,
    /// The blocks of finished requests that wait for another engine to fetch them.
    pub(super) kept: HashMap<RequestId, Vec<u32>>,
    step: Option<Step>,
    /// When the next step may start where none is under way.
    ready_at: Timestamp,
    slowdown: f64,
}

/// When an engine without room for any request looks again.
const RETRY: Duration = Duration::from_millis(1);

/// One token that came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Whose it is.
    pub id: RequestId,
    /// Its place in the answer, from 0.
    pub index: u32,
}

/// A request that entered the batch for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Which one.
    pub id: RequestId,
    /// Tokens it found in the cache and need not compute.
    pub cached_tokens: u32,
}

/// What one call of [`EngineModel::step`] brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepOutput {
    /// When the completed step ended, none where no step was due.
    pub ended_at: Option<Timestamp>,
    /// Tokens of the completed step, at most one of each request.
    pub tokens: Vec<Token>,
    /// Requests whose last token is among them.
    pub finished: Vec<RequestId>,
    /// Requests that entered the batch for the first time, with the step that starts now.
    pub admitted: Vec<Admission>,
    /// Changes of the cache since the last call, in order.
    pub kv_events: Vec<KvEvent>,
}

impl EngineModel {
    /// An engine without work.
    ///
    /// # Errors
    ///
    /// Those of [`EngineConfig::validate`].
    pub fn new(config: EngineConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            pool: BlockPool::new(config.kv_blocks),
            config,
            sequences: HashMap::new(),
            running: Vec::new(),
            waiting: VecDeque::new(),
            metrics: ModelMetrics::default(),
            kept: HashMap::new(),
            step: None,
            ready_at: Timestamp::ZERO,
            slowdown: 1.0,
        })
    }

    /// What the engine was made with.
    #[must_use]
    pub const fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// Queues a request.
    ///
    /// # Errors
    ///
    /// Where prompt or answer is empty, both together are too long, or the name is taken. Nothing changes then.
    pub fn submit(&mut self, now: Timestamp, request: Request) -> Result<(), SubmitError> {
        let tokens = request.prompt.len() + request.output.len();
        let limit = self.config.max_model_tokens;
        if request.prompt.is_empty() {
            return Err(SubmitError::EmptyPrompt);
        }
        if request.output.is_empty() {
            return Err(SubmitError::EmptyOutput);
        }
        if tokens > limit as usize {
            return Err(SubmitError::TooLong { tokens, limit });
        }
        if self.sequences.contains_key(&request.id) {
            return Err(SubmitError::Duplicate(request.id));
        }
        let id = request.id;
        if self.sequences.is_empty() && self.step.is_none() {
            self.ready_at = self.ready_at.max(now);
        }
        self.sequences.insert(
            id,
            Sequence::new(request, self.config.block_tokens as usize),
        );
        self.waiting.push_back(id);
        Ok(())
    }

    /// When [`EngineModel::step`] has something to do next, none while the engine is idle.
    #[must_use]
    pub fn next_step_at(&self) -> Option<Timestamp> {
        match &self.step {
            Some(step) => Some(step.ends_at),
            None => (!self.sequences.is_empty()).then_some(self.ready_at),
        }
    }

    /// Ends the step under way, if it is due, and starts the next one.
    ///
    /// One call moves one step. The next step starts when the last one ended, even where the caller comes late, so that
    /// a slow timer does not slow the engine; a caller that may be late calls until `next_step_at` is in the future.
    pub fn step(&mut self, now: Timestamp) -> StepOutput {
        let mut output = StepOutput::default();
        if self.next_step_at().is_none_or(|at| at > now) {
            return output;
        }
        if let Some(step) = self.step.take() {
            self.complete(&step, &mut output);
        }
        self.start(now, &mut output);
        output.kv_events = self.pool.take_events();
        output
    }

    /// Withdraws a request and frees its blocks at once. False where it is not in the engine.
    pub fn abort(&mut self, id: RequestId) -> bool {
        let Some(sequence) = self.sequences.remove(&id) else {
            return false;
        };
        self.pool.release(&sequence.blocks);
        self.running.retain(|other| *other != id);
        self.waiting.retain(|other| *other != id);
        if let Some(step) = &mut self.step {
            step.work.retain(|(other, _)| *other != id);
        }
        self.metrics.aborted += 1;
        true
    }

    /// Drops the prefix cache. As with vLLM, the event comes out with the next step, not at once.
    pub fn reset_prefix_cache(&mut self) {
        self.pool.clear();
        for sequence in self.sequences.values_mut() {
            sequence.withhold();
        }
    }

    /// Makes every later step take `factor` times as long; 1 is the chip's own speed.
    pub fn set_slowdown(&mut self, factor: f64) {
        self.slowdown = if factor.is_finite() {
            factor.clamp(0.001, 1e6)
        } else {
            1.0
        };
    }

    /// The gauges and counters as they are now.
    #[must_use]
    pub fn metrics(&self) -> ModelMetrics {
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        ModelMetrics {
            running: count(self.running.len()),
            waiting: count(self.waiting.len()),
            blocks_in_use: count(self.pool.in_use()),
            blocks_kept: count(self.kept.values().map(Vec::len).sum()),
            blocks_idle: count(self.pool.idle()),
            blocks_total: self.config.kv_blocks,
            block_tokens: self.config.block_tokens,
            ..self.metrics
        }
    }

    #[cfg(test)]
    pub(super) fn step_has_work(&self) -> bool {
        self.step.as_ref().is_some_and(|step| !step.work.is_empty())
    }

    fn start(&mut self, now: Timestamp, output: &mut StepOutput) {
        let plan = self.plan();
        output.admitted = plan.admitted;
        if plan.work.is_empty() {
            // Blocks kept for others can leave no room for anybody.
            if !self.kept.is_empty() && !self.sequences.is_empty() {
                self.ready_at = now.after(RETRY);
            }
            return;
        }
        let ms = self.config.chip.step_ms(&plan.load) * self.slowdown;
        let ends_at = self.ready_at.after(Duration::from_secs_f64(ms / 1_000.0));
        self.step = Some(Step {
            started_at: self.ready_at,
            ends_at,
            work: plan.work,
        });
    }

    fn complete(&mut self, step: &Step, output: &mut StepOutput) {
        self.ready_at = step.ends_at;
        self.metrics.steps += 1;
        let spent = step
            .ends_at
            .as_micros()
            .saturating_sub(step.started_at.as_micros());
        self.metrics.busy_micros += spent;
        output.ended_at = Some(step.ends_at);
        for &(id, tokens) in &step.work {
            self.advance(id, tokens, output);
        }
    }

    fn advance(&mut self, id: RequestId, tokens: usize, output: &mut StepOutput) {
        let sequence = self
            .sequences
            .get_mut(&id)
            .expect("aborted requests leave the step");
        sequence.computed += tokens;
        self.publish_computed(id);
        let sequence = self.sequences.get_mut(&id).expect("still there");
        if sequence.pending() > 0 {
            return;
        }
        if sequence.generated == 0 {
            self.metrics.prompt_tokens += sequence.request.prompt.len() as u64;
        }
        let index = u32::try_from(sequence.generated).unwrap_or(u32::MAX);
        output.tokens.push(Token { id, index });
        sequence.generated += 1;
        self.metrics.generation_tokens += 1;
        if sequence.is_finished() {
            let sequence = self.sequences.remove(&id).expect("still there");
            if sequence.is_kept {
                self.kept.insert(id, sequence.blocks);
            } else {
                self.pool.release(&sequence.blocks);
            }
            self.running.retain(|other| *other != id);
            self.metrics.finished += 1;
            output.finished.push(id);
        }
    }

    /// Makes the blocks that are computed now reusable, and announces runs of new ones.
    fn publish_computed(&mut self, id: RequestId) {
        let block_tokens = self.config.block_tokens as usize;
        let sequence = self.sequences.get_mut(&id).expect("known to the caller");
        let full = sequence.computed / block_tokens;
        if !self.config.prefix_caching || full <= sequence.published {
            return;
        }
        sequence.hash_up_to(full, block_tokens);
        let mut run_start = sequence.published;
        for place in sequence.published..full {
            if !self
                .pool
                .publish(sequence.blocks[place], sequence.hashes[place])
            {
                announce(&mut self.pool, sequence, run_start..place, block_tokens);
                run_start = place + 1;
            }
        }
        announce(&mut self.pool, sequence, run_start..full, block_tokens);
        sequence.published = full;
    }
}

fn announce(
    pool: &mut BlockPool,
    sequence: &Sequence,
    run: std::ops::Range<usize>,
    block_tokens: usize,
) {
    if run.is_empty() {
        return;
    }
    pool.announce(KvEvent::Stored {
        hashes: sequence.hashes[run.clone()].to_vec(),
        parent: run
            .start
            .checked_sub(1)
            .map(|before| sequence.hashes[before]),
        tokens: sequence.block_tokens(run, block_tokens),
    });
}
