//! The end of a step, and runs of steps to which nothing happens.

use std::cmp::Reverse;

use super::engine::{Effects, Engine, Place, Signal, Step};
use super::sequence::{Part, Stage};
use crate::model::StepLoad;

impl Engine {
    /// Ends the step under way, which is due now, and starts the next. Steps that only decode follow on as long as they
    /// end before `horizon` and nothing happens to anybody. When the step now under way ends; none without work.
    pub(super) fn advance(&mut self, now: f64, horizon: f64, effects: &mut Effects) -> Option<f64> {
        if let Some(step) = self.step.take() {
            self.complete(&step, effects);
        }
        self.start(now, effects);
        if self.only_decodes() {
            self.leap(horizon, effects);
        }
        self.step.as_ref().map(|step| step.end)
    }

    /// Whether steps like this one follow until something is due.
    fn only_decodes(&self) -> bool {
        let is_queue_stuck =
            self.waiting.is_empty() || self.is_blocked || self.running.len() >= self.batch_limit();
        is_queue_stuck
            && self
                .step
                .as_ref()
                .is_some_and(|step| step.chunks.is_empty())
    }

    fn leap(&mut self, horizon: f64, effects: &mut Effects) {
        let due = self.next_due();
        let step = self.step.as_ref().expect("the caller saw it");
        let (mut start, mut end) = (step.start, step.end);
        while end < horizon && self.steps + 1 < due {
            self.count_step(start, end, effects);
            start = end;
            let load = StepLoad {
                decodes: self.decodes,
                context_tokens: self.context,
                ..StepLoad::default()
            };
            end = start + self.step_seconds(start, &load, 0);
        }
        self.step = Some(Step {
            start,
            end,
            chunks: Vec::new(),
        });
    }

    /// After how many steps something happens to a decoding sequence, at the earliest.
    fn next_due(&mut self) -> u64 {
        while let Some(&Reverse((due, stamp, place))) = self.due.peek() {
            if self.sequences[place as usize].stamp == stamp {
                return due;
            }
            self.due.pop();
        }
        u64::MAX
    }

    /// What every step changes.
    fn count_step(&mut self, start: f64, end: f64, effects: &mut Effects) {
        self.steps += 1;
        self.context += u64::from(self.decodes);
        let report = &mut self.counts.report;
        report.steps += 1;
        report.busy_seconds += end - start;
        report.generated_tokens += u64::from(self.decodes);
        if self.decodes > 0 {
            effects.gaps.record(end - start, self.decodes);
        }
    }

    fn complete(&mut self, step: &Step, effects: &mut Effects) {
        self.count_step(step.start, step.end, effects);
        while self.next_due() <= self.steps {
            let Some(Reverse((_, stamp, place))) = self.due.pop() else {
                break;
            };
            if self.sequences[place as usize].finish <= self.steps {
                self.finish_decoding(place, effects);
            } else {
                self.short.push((stamp, place));
            }
        }
        for &(place, tokens) in &step.chunks {
            self.complete_chunk(place, tokens, step.end, effects);
        }
        let sequences = &self.sequences;
        self.prompts
            .retain(|place| sequences[*place as usize].stage == Stage::Prompt);
    }

    fn finish_decoding(&mut self, place: Place, effects: &mut Effects) {
        let job = &self.sequences[place as usize].job;
        let (request, output) = (job.request, job.output);
        self.decodes -= 1;
        self.context -= u64::from(job.input + job.output);
        effects.signals.push(Signal::Finished { request, output });
        self.leave(place);
    }

    fn complete_chunk(&mut self, place: Place, tokens: u32, now: f64, effects: &mut Effects) {
        let sequence = &mut self.sequences[place as usize];
        sequence.computed += tokens;
        sequence.received = false;
        self.counts.report.computed_tokens += u64::from(tokens);
        let new = sequence.publishable(self.block_tokens);
        if !new.is_empty() {
            self.memory
                .publish(&mut sequence.holding, &sequence.job.blocks[new]);
            self.is_blocked = false;
        }
        if sequence.computed < sequence.len() {
            return;
        }
        match sequence.job.part {
            Part::Prefill => self.park(place, effects),
            Part::Whole | Part::Decode => self.emit(place, now, effects),
        }
    }

    /// A prompt is computed whose KV cache leaves.
    fn park(&mut self, place: Place, effects: &mut Effects) {
        let sequence = &mut self.sequences[place as usize];
        sequence.stage = Stage::Parked;
        self.running.remove(&sequence.stamp);
        self.handoffs -= 1;
        self.counts.prompt_tokens += u64::from(sequence.job.input);
        effects.signals.push(Signal::PrefillDone {
            request: sequence.job.request,
            cached: sequence.cached.unwrap_or(0),
            place,
        });
    }

    /// A prompt, or what was lost by preemption, is computed: the next token comes out.
    fn emit(&mut self, place: Place, now: f64, effects: &mut Effects) {
        let sequence = &mut self.sequences[place as usize];
        let (request, output) = (sequence.job.request, sequence.job.output);
        sequence.generated += 1;
        self.counts.report.generated_tokens += 1;
        if sequence.generated == 1 {
            self.counts.prompt_tokens += u64::from(sequence.job.input);
            let cached = sequence.cached.unwrap_or(0);
            effects.signals.push(Signal::FirstToken { request, cached });
        } else {
            effects.gaps.record(now - sequence.last_token_at, 1);
        }
        sequence.last_token_at = now;
        if sequence.generated < output {
            self.join(place);
            return;
        }
        sequence.stage = Stage::Parked;
        effects.signals.push(Signal::Finished { request, output });
        self.leave(place);
    }
}
