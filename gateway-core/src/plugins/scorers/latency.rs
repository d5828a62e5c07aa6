//! `latency`: the least added latency, to this request and to everyone else.

use serde::Deserialize;

use crate::{
    RouteCx, Stage,
    latency::Forecast,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
    plugins::params::ensure,
};

/// Parameters of [`Latency`]. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LatencyParams {
    /// The objective for the time to the first token of requests that bring none. Default: 2000.
    pub ttft_ms: f64,
    /// The objective for the time per output token of requests that bring none. Default: 50.
    pub tpot_ms: f64,
    /// The longest objective that counts, for long prompts with generous ones: a smaller cap keeps them from being parked
    /// on slow chips, at the expense of everybody else. Default: 4000.
    pub ttft_cap_ms: f64,
    /// What an engine's time for the prompt costs those who come later. Default: 2.
    pub work_weight: f64,
    /// What slower decoding costs, its own and that of the sequences it joins. Default: 2.
    pub decode_weight: f64,
    /// What prompts that wait already cost, per objective of half a second. Default: 0.5.
    pub queue_weight: f64,
    /// What each share of the KV cache beyond 95 % costs. Default: 20.
    pub memory_weight: f64,
    /// How far, relatively, costs are blurred, so that several gateways in front of the same endpoints do not all run to
    /// the same one. Default: 0.02.
    pub jitter: f64,
}

impl Default for LatencyParams {
    fn default() -> Self {
        Self {
            ttft_ms: 2_000.0,
            tpot_ms: 50.0,
            ttft_cap_ms: 4_000.0,
            work_weight: 2.0,
            decode_weight: 2.0,
            queue_weight: 0.5,
            memory_weight: 20.0,
            jitter: 0.02,
        }
    }
}

/// The objective by which waiting prompts are weighed.
const QUEUE_OBJECTIVE_MS: f64 = 500.0;
/// The share of the KV cache from which memory costs.
const FULL: f64 = 0.95;

/// Scores 1 / (1 + cost), where cost is the latency that the request adds, in units of the objectives.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latency {
    params: LatencyParams,
}

impl Latency {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where an objective is not positive or a weight is negative.
    pub fn new(params: LatencyParams) -> Result<Self, ParamError> {
        let objectives = [
            ("ttft_ms", params.ttft_ms),
            ("tpot_ms", params.tpot_ms),
            ("ttft_cap_ms", params.ttft_cap_ms),
        ];
        for (name, value) in objectives {
            ensure(
                value.is_finite() && value > 0.0,
                &format!("`{name}` must be a positive number of milliseconds"),
            )?;
        }
        let weights = [
            ("work_weight", params.work_weight),
            ("decode_weight", params.decode_weight),
            ("queue_weight", params.queue_weight),
            ("memory_weight", params.memory_weight),
            ("jitter", params.jitter),
        ];
        for (name, value) in weights {
            ensure(
                value.is_finite() && value >= 0.0,
                &format!("`{name}` must be 0 or more"),
            )?;
        }
        Ok(Self { params })
    }

    /// The cost of a choice, in units of the objectives.
    #[must_use]
    pub fn cost(&self, cx: &RouteCx<'_>, forecast: &Forecast) -> f64 {
        let params = &self.params;
        let ttft_ms = objective(cx.objectives.ttft_ms, params.ttft_ms).min(params.ttft_cap_ms);
        let tpot_ms = objective(cx.objectives.tpot_ms, params.tpot_ms);
        let mut cost = params.memory_weight * (forecast.occupancy - FULL).max(0.0);
        if cx.stage != Stage::Decode {
            let queue = forecast.prefill_ms * forecast.queued_prompts / QUEUE_OBJECTIVE_MS;
            let own = forecast.ttft_ms + forecast.transfer_ms;
            cost += (own + params.work_weight * forecast.prefill_ms) / ttft_ms
                + params.queue_weight * queue;
        }
        if cx.stage != Stage::Prefill {
            let own = forecast.step_ms + forecast.added_ms;
            let prompt = forecast.prefill_ms / forecast.output_tokens;
            let others = forecast.requests * (prompt + forecast.added_ms);
            cost += params.decode_weight * (own + others) / tpot_ms;
        }
        cost
    }
}

fn objective(own: Option<f32>, default: f64) -> f64 {
    own.map(f64::from)
        .filter(|ms| ms.is_finite() && *ms > 0.0)
        .unwrap_or(default)
}

impl Scorer for Latency {
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        for (candidate, score) in candidates.iter().zip(out) {
            let cost = self.cost(cx, &candidate.forecast(cx));
            let blur = 1.0 + self.params.jitter * noise(cx.draw, candidate.endpoint.id().index());
            *score = (1.0 / (1.0 + cost * blur)) as f32;
        }
    }
}

/// A number from -1 to 1 that follows from the decision's random bits and the endpoint.
fn noise(draw: u64, endpoint: usize) -> f64 {
    let mixed = (draw ^ (endpoint as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}
