//! Forecasts: what a request would meet.

use super::{Demand, Foreign, Work, flight::millis};
use crate::{
    Stage, Timestamp,
    latency::{Forecast, PromptWork},
};

/// How much longer than its decode steps alone a request stays, for the prompts of others between them.
const LIFE: f64 = 1.5;

/// Outputs shorter than that count as so long: what delays them is no matter of their pace.
const SHORTEST: f64 = 16.0;

impl Work {
    /// What the request would meet here.
    pub(in crate::load) fn forecast(
        &mut self,
        demand: &Demand<'_>,
        foreign: Foreign,
        capacity_tokens: Option<u64>,
        now: Timestamp,
    ) -> Forecast {
        self.lapse(now);
        let requests = f64::from(self.requests) + f64::from(foreign.requests);
        let context = self.context + f64::from(foreign.requests) * self.mean_context;
        let work = demand.prompt();
        let output = f64::from(demand.output_tokens).max(1.0);
        let own_context = f64::from(demand.prompt_tokens) + output / 2.0;
        let mut forecast = Forecast {
            uncached_tokens: work.uncached_tokens,
            queued_tokens: self.queue.work().uncached_tokens,
            queued_prompts: f64::from(self.queue.waiting()) + f64::from(foreign.waiting),
            requests,
            context_tokens: context,
            step_ms: self.model.step_ms(requests, context),
            added_ms: self.model.added_ms(own_context),
            output_tokens: output,
            others_output_tokens: self.others_output(foreign),
            ..Forecast::default()
        };
        if demand.stage == Stage::Decode {
            forecast.prefill_ms = 0.0;
            forecast.uncached_tokens = 0.0;
        } else {
            let queue = self.queue_ms(self.queue.work(), requests, context);
            let with_it = self.queue_ms(&self.queue.work().and(&work), requests, context);
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

    /// Tokens expected of a request in flight, on average.
    fn others_output(&self, foreign: Foreign) -> f64 {
        let foreign = f64::from(foreign.requests);
        let requests = f64::from(self.requests) + foreign;
        let mean = if requests > 0.0 {
            (self.outputs + foreign * self.mean_output) / requests
        } else {
            self.mean_output
        };
        mean.max(SHORTEST)
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
    pub(super) fn queue_ms(&self, work: &PromptWork, requests: f64, context: f64) -> f64 {
        if work.uncached_tokens > 0.0 {
            self.model.prefill_ms(work, requests, context)
        } else {
            0.0
        }
    }

    /// Time that the first prompt of the queue has had already.
    pub(super) fn head_ms(&self, now: Timestamp) -> f64 {
        let speed = self.model.prefill_factor();
        self.queue.head(&self.flights).map_or(0.0, |(_, head)| {
            let since = self.progress.max(head.sent);
            millis(now.since(since)).min(speed * head.base_ms)
        })
    }
}
