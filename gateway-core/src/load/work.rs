//! The work in flight at one endpoint in predicted time, and what is learned when it is done.

use std::{collections::VecDeque, time::Duration};

use super::active::{ActiveBlocks, Share};
use crate::{
    BlockHash, Stage, Timestamp,
    latency::{Accuracy, DecodeSample, EngineModel, Forecast, Hardware, PrefillSample, PromptWork},
};

/// First tokens so close together came out of one step.
const SAME_STEP: Duration = Duration::from_micros(500);
/// A share of the KV cache in use from which prompts wait for memory, so that their times say nothing of speed.
const CROWDED: f64 = 0.9;

/// What a request asks of an endpoint, as a forecast and a booking need it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demand<'a> {
    /// The part of the work.
    pub stage: Stage,
    /// Prompt length in tokens.
    pub prompt_tokens: u32,
    /// Leading prompt tokens in the endpoint's cache, in any tier.
    pub cached_tokens: u32,
    /// Of those, tokens in a lower tier.
    pub loaded_tokens: u32,
    /// Tokens expected to come out.
    pub output_tokens: f32,
    /// Hashes of the prompt's blocks.
    pub blocks: &'a [BlockHash],
    /// Tokens one of them stands for.
    pub block_tokens: u32,
    /// Its first token will not be seen, because the reply comes whole: the prompt counts as done when predicted.
    pub is_silent: bool,
}

/// Work of others on the endpoint, as its telemetry lets us know.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Foreign {
    pub(super) requests: u32,
    pub(super) waiting: u32,
    pub(super) kv_share: f32,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Work {
    hardware: Hardware,
    model: EngineModel,
    flights: Vec<Option<Flight>>,
    free: Vec<u32>,
    /// Tickets of prompts without a first token, oldest first; those that left are skipped.
    queue: VecDeque<u32>,
    waiting: u32,
    /// The prompt work of those that wait, all together.
    waiting_work: PromptWork,
    links_ms: f64,
    requests: u32,
    context: f64,
    decoding: Decoding,
    active: ActiveBlocks,
    block_tokens: u32,
    group: Group,
    /// When prompt work last got ahead.
    progress: Timestamp,
    /// Mean prompt and context of requests here, for those of others.
    mean_prompt_ms: f64,
    mean_context: f64,
    /// Expected output of the requests in flight, added up.
    outputs: f64,
    pub(super) accuracy: Accuracy,
}

/// One request in flight.
#[derive(Debug)]
struct Flight {
    stage: Stage,
    sent: Timestamp,
    prompt: PromptWork,
    /// Predicted prompt time at a speed of 1.
    base_ms: f64,
    link_ms: f64,
    context: f64,
    output: f64,
    share: Share,
    first: Option<Mark>,
    /// When the prompt counts as done without anybody saying so.
    lapses_at: Option<Timestamp>,
}

/// The sequences that decode, and how much they did.
#[derive(Clone, Copy, Debug, Default)]
struct Decoding {
    sequences: f64,
    context: f64,
    seen: Mark,
}

/// Running totals at a moment.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    at: Timestamp,
    sequence_ms: f64,
    context_ms: f64,
    prefill_ms: f64,
    prefill_steps: f64,
}

/// How much longer than its decode steps alone a request stays, for the prompts of others between them.
const LIFE: f64 = 1.5;
/// Prompts whose first tokens came out of one step.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    sample: PrefillSample,
    started: Timestamp,
    ended: Timestamp,
    is_clean: bool,
    was_idle: bool,
}

impl Work {
    pub(super) fn new(hardware: Hardware, model: EngineModel) -> Self {
        Self {
            hardware,
            model,
            flights: Vec::new(),
            free: Vec::new(),
            queue: VecDeque::new(),
            waiting: 0,
            waiting_work: PromptWork::default(),
            links_ms: 0.0,
            requests: 0,
            context: 0.0,
            decoding: Decoding::default(),
            active: ActiveBlocks::default(),
            block_tokens: 0,
            group: Group::default(),
            progress: Timestamp::ZERO,
            mean_prompt_ms: 50.0,
            mean_context: 1_000.0,
            outputs: 0.0,
            accuracy: Accuracy::default(),
        }
    }

    /// Exchanges the hardware and its model; what is in flight stays.
    pub(super) fn describe(&mut self, hardware: Hardware, model: EngineModel) {
        self.hardware = hardware;
        self.model = model;
        self.group = Group::default();
    }

    pub(super) fn model(&mut self) -> &mut EngineModel {
        &mut self.model
    }

    /// Tokens of KV cache that the requests in flight hold, shared ones counted once.
    pub(super) fn active_tokens(&self) -> u64 {
        self.active.tokens(self.block_tokens)
    }

    /// What the request would meet here.
    pub(super) fn forecast(
        &mut self,
        demand: &Demand<'_>,
        foreign: Foreign,
        capacity_tokens: Option<u64>,
        now: Timestamp,
    ) -> Forecast {
        self.lapse(now);
        let requests = f64::from(self.requests) + f64::from(foreign.requests);
        let context = self.context + f64::from(foreign.requests) * self.mean_context;
        let work = prompt_work(demand);
        let output = f64::from(demand.output_tokens).max(1.0);
        let own_context = f64::from(demand.prompt_tokens) + output / 2.0;
        let mut forecast = Forecast {
            uncached_tokens: work.uncached_tokens,
            queued_tokens: self.waiting_work.uncached_tokens,
            queued_prompts: f64::from(self.waiting) + f64::from(foreign.waiting),
            requests,
            context_tokens: context,
            step_ms: self.model.step_ms(requests, context),
            added_ms: self.model.added_ms(own_context),
            output_tokens: output,
            others_output_tokens: self.others_output().unwrap_or(output),
            ..Forecast::default()
        };
        if demand.stage == Stage::Decode {
            forecast.prefill_ms = 0.0;
            forecast.uncached_tokens = 0.0;
        } else {
            let queue = self.queue_ms(&self.waiting_work, requests, context);
            let with_it = self.queue_ms(&self.waiting_work.and(&work), requests, context);
            forecast.prefill_ms = with_it - queue;
            forecast.wait_ms = (queue - self.head_ms(now)).max(0.0)
                + f64::from(foreign.waiting) * self.mean_prompt_ms;
        }
        if demand.stage == Stage::Prefill {
            let own = self.hardware.transfer_ms(f64::from(demand.prompt_tokens));
            forecast.transfer_ms = own + (self.links_ms - forecast.wait_ms).max(0.0);
        }
        self.occupy(&mut forecast, demand, foreign, capacity_tokens);
        forecast.ttft_ms =
            forecast.wait_ms + forecast.admission_ms + forecast.step_ms / 2.0 + forecast.prefill_ms;
        forecast
    }

    /// Tokens expected of a request of ours, on average; none where there are none.
    fn others_output(&self) -> Option<f64> {
        (self.requests > 0).then(|| (self.outputs / f64::from(self.requests)).max(1.0))
    }

    /// Adds what the request would find of places and KV cache.
    fn occupy(
        &self,
        forecast: &mut Forecast,
        demand: &Demand<'_>,
        foreign: Foreign,
        capacity_tokens: Option<u64>,
    ) {
        let held = self.active.tokens(self.block_tokens) as f64;
        let shared = self.active.overlap(demand.blocks, demand.block_tokens) as f64;
        let growth = forecast.output_tokens * (forecast.requests + 1.0) / 2.0;
        let own = f64::from(demand.prompt_tokens) - shared;
        forecast.shared_tokens = shared;
        forecast.active_tokens = held + own.max(0.0) + growth;
        let life_ms = forecast.others_output_tokens * forecast.step_ms * LIFE;
        let seats = f64::from(self.hardware.max_sequences.unwrap_or(u32::MAX)).max(1.0);
        let mut beyond = (forecast.requests + 1.0 - seats).max(0.0) / seats;
        let capacity = self.hardware.kv_tokens.or(capacity_tokens);
        if let Some(capacity) = capacity.filter(|&capacity| capacity > 0) {
            forecast.occupancy =
                forecast.active_tokens / capacity as f64 + f64::from(foreign.kv_share);
            beyond = beyond.max(forecast.occupancy - 1.0);
        }
        forecast.admission_ms = beyond * life_ms;
    }

    /// Predicted time for prompt work, none for none.
    fn queue_ms(&self, work: &PromptWork, requests: f64, context: f64) -> f64 {
        if work.uncached_tokens > 0.0 {
            self.model.prefill_ms(work, requests, context)
        } else {
            0.0
        }
    }

    /// Time that the first prompt of the queue has had already.
    fn head_ms(&self, now: Timestamp) -> f64 {
        let speed = self.model.prefill_factor();
        let head = self
            .queue
            .iter()
            .find_map(|&ticket| self.waiting_flight(ticket));
        head.map_or(0.0, |head| {
            let since = self.progress.max(head.sent);
            millis(now.since(since)).min(speed * head.base_ms)
        })
    }

    fn waiting_flight(&self, ticket: u32) -> Option<&Flight> {
        let flight = self.flights.get(ticket as usize)?.as_ref()?;
        (flight.first.is_none() && flight.stage != Stage::Decode).then_some(flight)
    }

    /// Enters a request; the ticket names it until it leaves.
    pub(super) fn enter(&mut self, demand: &Demand<'_>, now: Timestamp) -> u32 {
        self.advance(now);
        self.block_tokens = demand.block_tokens.max(self.block_tokens);
        let (requests, context) = (f64::from(self.requests), self.context);
        let prompt = prompt_work(demand);
        let is_prompt = demand.stage != Stage::Decode;
        let base_ms = if is_prompt {
            self.model.prefill_ms(&prompt, requests, context) / self.model.prefill_factor()
        } else {
            0.0
        };
        let link_ms = if demand.stage == Stage::Prefill {
            self.hardware.transfer_ms(f64::from(demand.prompt_tokens))
        } else {
            0.0
        };
        let flight = Flight {
            stage: demand.stage,
            sent: now,
            prompt,
            base_ms,
            link_ms,
            context: f64::from(demand.prompt_tokens) + f64::from(demand.output_tokens) / 2.0,
            output: f64::from(demand.output_tokens).max(1.0),
            share: self.active.enter(
                demand.blocks,
                demand.block_tokens,
                u64::from(demand.prompt_tokens),
            ),
            first: None,
            lapses_at: demand.is_silent.then(|| {
                let queue = self.queue_ms(&self.waiting_work.and(&prompt), requests, context);
                now.after(from_millis(queue - self.head_ms(now)))
            }),
        };
        self.count(&flight, is_prompt);
        let ticket = self.free.pop().unwrap_or_else(|| {
            self.flights.push(None);
            u32::try_from(self.flights.len() - 1).expect("requests in flight fit 32 bits")
        });
        self.flights[ticket as usize] = Some(flight);
        if is_prompt {
            self.queue.push_back(ticket);
        }
        ticket
    }

    fn count(&mut self, flight: &Flight, is_prompt: bool) {
        self.requests += 1;
        self.context += flight.context;
        self.outputs += flight.output;
        self.links_ms += flight.link_ms;
        self.mean_context += 0.02 * (flight.context - self.mean_context);
        if is_prompt {
            self.waiting += 1;
            self.waiting_work = self.waiting_work.and(&flight.prompt);
            self.mean_prompt_ms += 0.02 * (flight.base_ms - self.mean_prompt_ms);
        }
    }

    /// Takes prompts out of the queue that must be done by now and of which nobody will say so.
    fn lapse(&mut self, now: Timestamp) {
        while let Some(&ticket) = self.queue.front() {
            let mark = self.decoding.seen;
            let Some(flight) = self.flight(ticket) else {
                break;
            };
            if flight.lapses_at.is_none_or(|at| at > now) || flight.first.is_some() {
                break;
            }
            flight.first = Some(mark);
            let (prompt, context, stage) = (flight.prompt, flight.context, flight.stage);
            self.prompt_done(&prompt);
            self.starts_decoding(stage, context);
        }
    }

    fn starts_decoding(&mut self, stage: Stage, context: f64) {
        if stage != Stage::Prefill {
            self.decoding.sequences += 1.0;
            self.decoding.context += context;
        }
    }

    /// A request's first token is there, of whose prompt the engine found `cached_tokens` in its cache.
    pub(super) fn first_token(&mut self, ticket: u32, cached_tokens: Option<u32>, now: Timestamp) {
        self.advance(now);
        let mark = self.decoding.seen;
        let crowded = self.is_crowded();
        let Some(flight) = self.flight(ticket).filter(|flight| flight.first.is_none()) else {
            return;
        };
        flight.first = Some(mark);
        let (stage, sent, context) = (flight.stage, flight.sent, flight.context);
        let expected = flight.prompt;
        let prompt = cached_tokens.map_or(expected, |cached| corrected(&expected, cached));
        if stage != Stage::Decode {
            self.prompt_done(&expected);
            self.join_group(&prompt, sent, crowded, now);
        }
        self.starts_decoding(stage, context);
    }

    fn prompt_done(&mut self, prompt: &PromptWork) {
        self.waiting = self.waiting.saturating_sub(1);
        self.waiting_work = match self.waiting {
            0 => PromptWork::default(),
            _ => self.waiting_work.without(prompt),
        };
        while let Some(&ticket) = self.queue.front() {
            if self.waiting_flight(ticket).is_some() {
                break;
            }
            self.queue.pop_front();
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
    pub(super) fn finished(&mut self, ticket: u32, output_tokens: Option<u32>, now: Timestamp) {
        self.advance(now);
        let end = self.decoding.seen;
        let is_crowded = self.is_crowded();
        let is_silent = self
            .flight(ticket)
            .is_some_and(|flight| flight.lapses_at.is_some());
        let first = self.flight(ticket).and_then(|flight| flight.first);
        let (Some(first), Some(output)) = (first, output_tokens) else {
            return;
        };
        let elapsed_ms = millis(now.since(first.at));
        if elapsed_ms <= 0.0 || is_crowded || is_silent {
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

    /// Takes a request out, whatever became of it.
    pub(super) fn leave(&mut self, ticket: u32) {
        let Some(flight) = self.flights.get_mut(ticket as usize).and_then(Option::take) else {
            return;
        };
        self.free.push(ticket);
        self.active.leave(&flight.share);
        self.requests -= 1;
        self.context -= flight.context;
        self.outputs -= flight.output;
        self.links_ms -= flight.link_ms;
        if flight.first.is_none() && flight.stage != Stage::Decode {
            self.prompt_done(&flight.prompt);
        }
        if flight.first.is_some() && flight.stage != Stage::Prefill {
            self.decoding.sequences -= 1.0;
            self.decoding.context -= flight.context;
        }
        if self.requests == 0 {
            (self.context, self.links_ms, self.outputs) = (0.0, 0.0, 0.0);
            (self.decoding.sequences, self.decoding.context) = (0.0, 0.0);
        }
    }

    fn flight(&mut self, ticket: u32) -> Option<&mut Flight> {
        self.flights.get_mut(ticket as usize)?.as_mut()
    }

    /// Brings the running totals up to `now`. A clock that jumps back changes nothing.
    fn advance(&mut self, now: Timestamp) {
        let seen = &mut self.decoding.seen;
        let passed = millis(now.since(seen.at));
        seen.sequence_ms += passed * self.decoding.sequences;
        seen.context_ms += passed * self.decoding.context;
        seen.at = seen.at.max(now);
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

fn prompt_work(demand: &Demand<'_>) -> PromptWork {
    PromptWork::of(
        demand.prompt_tokens,
        demand.cached_tokens,
        demand.loaded_tokens,
    )
}

/// The work as it was, once it is known how much was cached.
fn corrected(prompt: &PromptWork, cached: u32) -> PromptWork {
    let whole = (prompt.uncached_tokens + prompt.cached_tokens) as u32;
    let loaded = prompt.loaded_tokens as u32;
    PromptWork::of(whole, cached, loaded)
}

fn from_millis(ms: f64) -> Duration {
    Duration::from_secs_f64((ms / 1_000.0).clamp(0.0, 86_400.0))
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}
