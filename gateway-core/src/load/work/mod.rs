//! The work in flight at one endpoint in predicted time, and what is learned when it is done.

mod ahead;
mod demand;
mod flight;
mod learn;
mod overdue;
mod queue;

pub use demand::Demand;
pub(super) use demand::Foreign;

use super::active::ActiveBlocks;
use crate::{
    Stage, Timestamp,
    latency::{Accuracy, EngineModel, Hardware},
    span_of_millis,
};
use flight::{Decoding, Flight};
use learn::Group;
use queue::PromptQueue;

/// See the module.
#[derive(Debug)]
pub(in crate::load) struct Work {
    hardware: Hardware,
    model: EngineModel,
    flights: Vec<Option<Flight>>,
    free: Vec<u32>,
    queue: PromptQueue,
    links_ms: f64,
    requests: u32,
    context: f64,
    decoding: Decoding,
    active: ActiveBlocks,
    block_tokens: u32,
    group: Group,
    /// When prompt work last got ahead.
    progress: Timestamp,
    /// Mean prompt, context and output of requests here, for those of others.
    mean_prompt_ms: f64,
    mean_context: f64,
    mean_output: f64,
    /// Expected output of the requests in flight, added up.
    outputs: f64,
    pub(in crate::load) accuracy: Accuracy,
}

impl Work {
    pub(in crate::load) fn new(hardware: Hardware, model: EngineModel) -> Self {
        Self {
            hardware,
            model,
            flights: Vec::new(),
            free: Vec::new(),
            queue: PromptQueue::default(),
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
            mean_output: 200.0,
            outputs: 0.0,
            accuracy: Accuracy::default(),
        }
    }

    /// Exchanges the hardware and its model; what is in flight stays.
    pub(in crate::load) fn describe(&mut self, hardware: Hardware, model: EngineModel) {
        self.hardware = hardware;
        self.model = model;
        self.group = Group::default();
    }

    pub(in crate::load) fn model(&mut self) -> &mut EngineModel {
        &mut self.model
    }

    /// Tokens of KV cache that the requests in flight hold, shared ones counted once.
    pub(in crate::load) fn active_tokens(&self) -> u64 {
        self.active.tokens(self.block_tokens)
    }

    /// Enters a request; the ticket names it until it leaves.
    pub(in crate::load) fn enter(&mut self, demand: &Demand<'_>, now: Timestamp) -> u32 {
        self.decoding.advance(now);
        self.block_tokens = demand.block_tokens.max(self.block_tokens);
        let (requests, context) = (f64::from(self.requests), self.context);
        let prompt = demand.prompt();
        let is_prompt = demand.has_prompt();
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
            handed_over: None,
            lapses_at: demand.is_silent.then(|| {
                let queue = self.queue_ms(&self.queue.work().and(&prompt), requests, context);
                now.after(span_of_millis(queue - self.head_ms(now)))
            }),
        };
        self.count(&flight, is_prompt);
        let ticket = self.free.pop().unwrap_or_else(|| {
            self.flights.push(None);
            u32::try_from(self.flights.len() - 1).expect("requests in flight fit 32 bits")
        });
        self.flights[ticket as usize] = Some(flight);
        if is_prompt {
            self.queue.push(ticket, &prompt, &self.flights);
        }
        ticket
    }

    fn count(&mut self, flight: &Flight, is_prompt: bool) {
        self.requests += 1;
        self.context += flight.context;
        self.outputs += flight.output;
        self.links_ms += flight.link_ms;
        self.mean_context += 0.02 * (flight.context - self.mean_context);
        self.mean_output += 0.02 * (flight.output - self.mean_output);
        if is_prompt {
            self.mean_prompt_ms += 0.02 * (flight.base_ms - self.mean_prompt_ms);
        }
    }

    /// Takes a request out, whatever became of it.
    pub(in crate::load) fn leave(&mut self, ticket: u32) {
        let Some(flight) = self.flights.get_mut(ticket as usize).and_then(Option::take) else {
            return;
        };
        self.free.push(ticket);
        self.active.leave(&flight.share);
        self.requests -= 1;
        self.context -= flight.context;
        self.outputs -= flight.output;
        self.links_ms -= flight.link_ms;
        if flight.is_waiting() {
            self.queue.done(&flight.prompt, &self.flights);
        }
        self.decoding.ends(&flight);
        if self.requests == 0 {
            (self.context, self.links_ms, self.outputs) = (0.0, 0.0, 0.0);
            (self.decoding.sequences, self.decoding.context) = (0.0, 0.0);
        }
    }
}
