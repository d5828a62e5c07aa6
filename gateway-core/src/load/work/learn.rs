//! What is learned when prompts and outputs are done.

use std::time::Duration;

use super::{Work, flight::millis};
use crate::{
    Timestamp,
    latency::{DecodeSample, PrefillSample, PromptWork},
};

/// First tokens so close together came out of one step.
const SAME_STEP: Duration = Duration::from_micros(500);
/// A share of the KV cache in use from which prompts wait for memory, so that their times say nothing of speed.
const CROWDED: f64 = 0.9;

/// Prompts whose first tokens came out of one step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    sample: PrefillSample,
    started: Timestamp,
    ended: Timestamp,
    is_clean: bool,
    was_idle: bool,
}

impl Work {
    /// A request's first token is there, of whose prompt the engine found `cached_tokens` in its cache.
    pub(in crate::load) fn first_token(
        &mut self,
        ticket: u32,
        cached_tokens: Option<u32>,
        now: Timestamp,
    ) {
        self.decoding.advance(now);
        let crowded = self.is_crowded();
        let Some((expected, sent, is_prompt)) = self.starts_decoding(ticket) else {
            return;
        };
        if is_prompt {
            let prompt = cached_tokens.map_or(expected, |cached| corrected(&expected, cached));
            self.join_group(&prompt, sent, crowded, now);
        }
    }

    /// The prompt of a request counts as done: gives its work, when it was sent, and whether it was computed here. `None`
    /// where it was done before.
    fn starts_decoding(&mut self, ticket: u32) -> Option<(PromptWork, Timestamp, bool)> {
        let flight = self.flights.get_mut(ticket as usize)?.as_mut()?;
        if flight.first.is_some() {
            return None;
        }
        let is_prompt = flight.is_waiting();
        self.decoding.starts(flight);
        let (prompt, sent) = (flight.prompt, flight.sent);
        if is_prompt {
            self.queue.done(&prompt, &self.flights);
        }
        Some((prompt, sent, is_prompt))
    }

    /// Takes prompts out of the queue that must be done by now and of which nobody will say so.
    pub(super) fn lapse(&mut self, now: Timestamp) {
        while let Some((ticket, head)) = self.queue.head(&self.flights) {
            if head.lapses_at.is_none_or(|at| at > now) {
                break;
            }
            self.starts_decoding(ticket);
        }
    }

    /// Adds a finished prompt to those of the same step, or learns from these and starts anew.
    fn join_group(&mut self, prompt: &PromptWork, sent: Timestamp, crowded: bool, now: Timestamp) {
        let is_same = self.group.sample.work.uncached_tokens > 0.0
            && now.since(self.group.ended) <= SAME_STEP;
        if is_same {
            self.group.sample.work = self.group.sample.work.and(prompt);
            self.group.is_clean &= !crowded;
            return;
        }
        self.flush_group();
        let started = self.progress.max(sent);
        self.group = Group {
            sample: PrefillSample {
                work: *prompt,
                decodes: self.decoding.sequences,
                context_tokens: self.decoding.context,
                elapsed_ms: millis(now.since(started)),
            },
            started,
            ended: now,
            is_clean: !crowded,
            was_idle: sent >= self.progress,
        };
        self.progress = now;
    }

    fn flush_group(&mut self) {
        let group = std::mem::take(&mut self.group);
        let mut sample = group.sample;
        if sample.work.uncached_tokens <= 0.0 {
            return;
        }
        self.decoding.seen.prefill_ms += sample.elapsed_ms;
        self.decoding.seen.prefill_steps += self.model.steps(&sample.work);
        if group.was_idle && sample.decodes > 0.0 {
            sample.elapsed_ms -= 0.5 * self.model.step_ms(sample.decodes, sample.context_tokens);
        }
        if group.is_clean && group.ended > group.started {
            self.model.learn_prefill(&sample);
        }
    }

    /// A request has its last token; `output_tokens` of them where that is known. It still has to [`leave`](Self::leave).
    pub(in crate::load) fn finished(
        &mut self,
        ticket: u32,
        output_tokens: Option<u32>,
        now: Timestamp,
    ) {
        self.decoding.advance(now);
        let end = self.decoding.seen;
        let is_crowded = self.is_crowded();
        let flight = self.flights.get(ticket as usize).and_then(Option::as_ref);
        // What nobody saw begin cannot be timed.
        let seen = flight.filter(|flight| flight.lapses_at.is_none());
        let (Some(first), Some(output)) = (seen.and_then(|flight| flight.first), output_tokens)
        else {
            return;
        };
        let elapsed_ms = millis(now.since(first.at));
        if elapsed_ms <= 0.0 || is_crowded {
            return;
        }
        self.model.learn_decode(&DecodeSample {
            tokens: f64::from(output.saturating_sub(1)),
            decodes: (end.sequence_ms - first.sequence_ms) / elapsed_ms,
            context_tokens: (end.context_ms - first.context_ms) / elapsed_ms,
            prefill_ms: end.prefill_ms - first.prefill_ms,
            prefill_steps: end.prefill_steps - first.prefill_steps,
            elapsed_ms,
        });
    }

    fn is_crowded(&self) -> bool {
        let has_seats = self
            .hardware
            .max_sequences
            .is_none_or(|most| self.requests < most);
        let has_room = self
            .hardware
            .kv_tokens
            .is_none_or(|capacity| (self.active_tokens() as f64) < CROWDED * capacity as f64);
        !(has_seats && has_room)
    }
}

/// The work as it was, once it is known how much was cached.
fn corrected(prompt: &PromptWork, cached: u32) -> PromptWork {
    let whole = (prompt.uncached_tokens + prompt.cached_tokens) as u32;
    let loaded = prompt.loaded_tokens as u32;
    PromptWork::of(whole, cached, loaded)
}
