//! The start of a step: who computes what.

use super::engine::{Effects, Engine, Place, Signal, Step};
use super::sequence::Stage;
use crate::model::StepLoad;

/// A step while it is being filled.
#[derive(Debug)]
struct Plan {
    chunks: Vec<(Place, u32)>,
    budget: u32,
    load: StepLoad,
    /// Tokens that come from host memory.
    loaded: u64,
}

impl Engine {
    /// Starts the next step, if there is work: sequences that decode, then unfinished prompts, then new requests.
    pub(super) fn start(&mut self, now: f64, effects: &mut Effects) {
        let has_preempted = self.make_room(now, effects);
        let mut plan = Plan {
            chunks: Vec::new(),
            budget: self.spec.batch_tokens.saturating_sub(self.decodes),
            load: StepLoad {
                decodes: self.decodes,
                context_tokens: self.context,
                ..StepLoad::default()
            },
            loaded: 0,
        };
        for at in 0..self.prompts.len() {
            self.plan_chunk(self.prompts[at], &mut plan);
        }
        if !has_preempted {
            self.admit_all(&mut plan, effects);
        }
        self.count_blocks(now);
        if plan.chunks.is_empty() && self.decodes == 0 {
            return;
        }
        let seconds = self.step_seconds(now, &plan.load, plan.loaded);
        self.step = Some(Step {
            start: now,
            end: now + seconds,
            chunks: plan.chunks,
        });
    }

    /// Seconds of a step that starts now.
    pub(super) fn step_seconds(&self, now: f64, load: &StepLoad, loaded: u64) -> f64 {
        let slow: f64 = self
            .spec
            .slow
            .iter()
            .filter(|span| span.from_seconds <= now && now < span.to_seconds)
            .map(|span| span.factor)
            .product();
        let host = match self.spec.host {
            Some(host) if loaded > 0 => {
                #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
                let bytes = loaded as f64 * self.spec.kv_bytes_per_token;
                bytes / (host.gbs * 1e9)
            }
            _ => 0.0,
        };
        (self.spec.chip.step_ms(load) / 1_000.0 + host) * slow
    }

    /// Sequences that may run: no more than a step can advance, so that all that decode always do.
    pub(super) fn batch_limit(&self) -> usize {
        self.spec.max_sequences.min(self.spec.batch_tokens) as usize
    }

    /// Gives blocks to the decoding sequences that need one, at the expense of those admitted last. Whether any had to go.
    fn make_room(&mut self, now: f64, effects: &mut Effects) -> bool {
        let mut short = std::mem::take(&mut self.short);
        short.sort_unstable();
        let mut has_preempted = false;
        for &(stamp, place) in &short {
            while self.sequences[place as usize].stamp == stamp {
                if self
                    .memory
                    .grow(&mut self.sequences[place as usize].holding)
                {
                    self.expect_next(place);
                    break;
                }
                has_preempted = true;
                self.preempt_last(now, effects);
            }
        }
        debug_assert!(self.short.is_empty(), "a new block has room for a token");
        short.clear();
        self.short = short;
        has_preempted
    }

    /// Throws the sequence admitted last out of the batch; it computes everything again that is not cached by then.
    fn preempt_last(&mut self, now: f64, effects: &mut Effects) {
        let (_, place) = self
            .running
            .pop_last()
            .expect("who lacks a block is running");
        let steps = self.steps;
        let sequence = &mut self.sequences[place as usize];
        if sequence.stage == Stage::Decoding {
            sequence.generated = sequence.generated_after(steps);
            sequence.last_token_at = now;
            self.decodes -= 1;
            self.context -= u64::from(sequence.job.input + sequence.generated);
        } else {
            self.prompts.pop();
        }
        sequence.stage = Stage::Waiting;
        sequence.stamp = 0;
        sequence.computed = 0;
        sequence.published = 0;
        sequence.received = false;
        self.memory.release(&mut sequence.holding);
        self.waiting.push_front(place);
        self.is_blocked = false;
        self.counts.report.preemptions += 1;
        effects.signals.push(Signal::Preempted {
            request: sequence.job.request,
        });
    }

    fn admit_all(&mut self, plan: &mut Plan, effects: &mut Effects) {
        while plan.budget > 0 && self.running.len() < self.batch_limit() && !self.is_blocked {
            let Some(&place) = self.waiting.front() else {
                break;
            };
            if !self.admit(place, plan, effects) {
                self.is_blocked = true;
                break;
            }
            self.waiting.pop_front();
            self.prompts.push(place);
            self.plan_chunk(place, plan);
        }
    }

    /// Gives a waiting request the blocks for everything it knows, or none at all and false.
    fn admit(&mut self, place: Place, plan: &mut Plan, effects: &mut Effects) -> bool {
        let block_tokens = self.block_tokens;
        let sequence = &mut self.sequences[place as usize];
        let blocks = sequence.len().div_ceil(block_tokens);
        let lookup = sequence.lookup(block_tokens);
        let Some(grant) = self.memory.admit(lookup, blocks, !sequence.received) else {
            return false;
        };
        sequence.computed = if sequence.received {
            sequence.job.input - 1
        } else {
            (grant.on_device + grant.on_host) * block_tokens
        };
        plan.loaded += u64::from(grant.on_host) * u64::from(block_tokens);
        sequence.published = grant.on_device;
        sequence.holding = grant.holding;
        sequence.stage = Stage::Prompt;
        self.admissions += 1;
        sequence.stamp = self.admissions;
        self.running.insert(sequence.stamp, place);
        if sequence.cached.is_none() {
            let cached = sequence.computed;
            sequence.cached = Some(cached);
            self.counts.report.cached_tokens += u64::from(cached);
            let request = sequence.job.request;
            effects.signals.push(Signal::Admitted { request, cached });
        }
        true
    }

    /// Plans as much of a prompt as the budget allows.
    fn plan_chunk(&self, place: Place, plan: &mut Plan) {
        let sequence = &self.sequences[place as usize];
        let tokens = (sequence.len() - sequence.computed).min(plan.budget);
        if tokens == 0 {
            return;
        }
        plan.chunks.push((place, tokens));
        plan.budget -= tokens;
        plan.load.prompt_tokens += tokens;
        let (new, before) = (f64::from(tokens), f64::from(sequence.computed));
        plan.load.attention_pairs += new * (before + new / 2.0);
    }
}
