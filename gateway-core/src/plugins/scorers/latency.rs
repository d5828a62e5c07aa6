//! `latency`: the least added latency, to this request and to everyone else.

use serde::Deserialize;

use crate::{
    RouteCx, Stage,
    latency::Forecast,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
    plugins::params::ensure,
};

/// Parameters of [`Latency`]. Times are in milliseconds; weights are costs per objective missed by its whole length.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LatencyParams {
    /// The objective for the time to the first token of requests that bring none. Default: 2000.
    pub ttft_ms: f64,
    /// The objective for the time per output token of requests that bring none. Default: 50.
    pub tpot_ms: f64,
    /// The longest objective that counts, for long prompts with generous ones: a smaller cap keeps them from being parked
    /// on slow chips, at the expense of everybody else. Default: 3000.
    pub ttft_cap_ms: f64,
    /// What waiting behind other prompts costs beyond its part in the time to the first token. Default: 1.2.
    pub wait_weight: f64,
    /// What an engine's time for the prompt costs those who come later. Default: 2.
    pub work_weight: f64,
    /// What slower decoding costs, its own and that of the sequences it joins. Default: 1.6.
    pub decode_weight: f64,
    /// What a prompt costs for each one that waits already, per half a second of its own time. Default: 0.7.
    pub queue_weight: f64,
    /// What each share of the KV cache beyond 95 % costs, up to 20 % beyond. Default: 20.
    pub memory_weight: f64,
    /// How far costs are blurred, as a share of the cost up to 1, so that several gateways in front of the same endpoints do
    /// not all run to the same one. Default: 0.02.
    pub jitter: f64,
}

impl Default for LatencyParams {
    fn default() -> Self {
        Self {
            ttft_ms: 2_000.0,
            tpot_ms: 50.0,
            ttft_cap_ms: 3_000.0,
            wait_weight: 1.2,
            work_weight: 2.0,
            decode_weight: 1.6,
            queue_weight: 0.7,
            memory_weight: 20.0,
            jitter: 0.02,
        }
    }
}

/// The time by which what a prompt costs those that wait is measured.
const QUEUE_UNIT_MS: f64 = 500.0;
/// The share of the KV cache from which memory costs, and how far beyond it goes on to.
const FULL: f64 = 0.95;
const OVERFULL: f64 = 0.2;
/// Objectives after which a first token is late: still later costs a tenth.
const LATE: f64 = 1.5;
const LATER: f64 = 0.1;
/// Objectives after which those who wait at an endpoint are mostly lost: one more prompt costs them less.
const LOST: f64 = 2.5;
/// Steps of priority that halve or double the objectives.
const PRIORITY_STEPS: f64 = 50.0;

/// Scores 1 / (1 + cost), where cost is the latency that the request adds, in units of the objectives:
///
/// ```text
/// late(TTFT/S_t) + w_wait·min(wait/S_t, 1.5) + w_work·pre/S_t
///   + w_queue·pre·queued/0.5 s / (1 + (TTFT/(2.5·S_t))²)
///   + w_decode·((1 − 1/o)·(step + add) + N·(pre/O + add))/S_d
///   + w_memory·(occupancy − 0.95, at most 0.2)
/// ```
///
/// with `late(x) = x` up to 1.5 and a tenth beyond. `wait`, `pre`, `step`, `add`, `N`, the expected outputs `o` of the
/// request and `O` of others, and occupancy are those of the [`Forecast`]; `S_t` and `S_d` are the request's objectives, tightened or widened by its priority.
///
/// The default. Every request in flight counts as disturbed by a prompt, not only those that decode now: counting fewer
/// makes convoys of prompts. The terms are linear while objectives can be met and level off where they cannot, so that
/// under overload the few that are lost anyway are kept together instead of spoiling everybody's queue. Chips of different
/// speed need no weights: their learned rates are the weights, and long prompts find the chips that suit them. Leave it
/// where fairness between endpoints matters more than latency.
///
/// After the fluid limits of batching queues; the published relatives are `LMetric` (wait times batch size), Mooncake's
/// predicted TTFT and llm-d's predicted latency.
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
            ("wait_weight", params.wait_weight),
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
        let overfull = (forecast.occupancy - FULL).clamp(0.0, OVERFULL);
        let mut cost = self.params.memory_weight * overfull;
        if cx.stage != Stage::Decode {
            cost += self.prompt_cost(cx, forecast);
        }
        if cx.stage != Stage::Prefill {
            cost += self.output_cost(cx, forecast);
        }
        cost
    }

    /// What its prompt costs the request itself and those who wait.
    fn prompt_cost(&self, cx: &RouteCx<'_>, forecast: &Forecast) -> f64 {
        let params = &self.params;
        let ttft_ms = objective(cx, cx.objectives.ttft_ms, params.ttft_ms).min(params.ttft_cap_ms);
        let first = (forecast.ttft_ms + forecast.transfer_ms) / ttft_ms;
        let late = first.min(LATE) + LATER * (first - LATE).max(0.0);
        let wait = (forecast.wait_ms / ttft_ms).min(LATE);
        let queue = forecast.prefill_ms * forecast.queued_prompts / QUEUE_UNIT_MS;
        late + params.wait_weight * wait
            + params.work_weight * forecast.prefill_ms / ttft_ms
            + params.queue_weight * queue / (1.0 + (first / LOST).powi(2))
    }

    /// What decoding costs the request itself and those it joins.
    fn output_cost(&self, cx: &RouteCx<'_>, forecast: &Forecast) -> f64 {
        let tpot_ms = objective(cx, cx.objectives.tpot_ms, self.params.tpot_ms);
        // The first token has its own objective: of an answer with one token nothing is left.
        let rest = 1.0 - 1.0 / forecast.output_tokens.max(1.0);
        let own = rest * (forecast.step_ms + forecast.added_ms);
        let prompt = forecast.prefill_ms / forecast.others_output_tokens;
        let others = forecast.requests * (prompt + forecast.added_ms);
        self.params.decode_weight * (own + others) / tpot_ms
    }
}

/// The request's own objective or the default one, in milliseconds, by its priority.
fn objective(cx: &RouteCx<'_>, own: Option<f32>, default: f64) -> f64 {
    let ms = own
        .map(f64::from)
        .filter(|ms| ms.is_finite() && *ms > 0.0)
        .unwrap_or(default);
    ms * (-f64::from(cx.priority) / PRIORITY_STEPS).exp2()
}

impl Scorer for Latency {
    fn samples(&self) -> bool {
        true
    }

    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        for (candidate, score) in candidates.iter().zip(out) {
            let cost = self.cost(cx, &candidate.forecast(cx));
            // No more than a busy endpoint's cost grows by one request, else bursts would not spread evenly.
            let blur = self.params.jitter * cost.min(1.0);
            let noise = noise(cx.draw, candidate.endpoint.id().index());
            *score = (1.0 / (1.0 + cost + blur * noise)) as f32;
        }
    }
}

/// A number from -1 to 1 that follows from the decision's random bits and the endpoint.
fn noise(draw: u64, endpoint: usize) -> f64 {
    let mixed = (draw ^ (endpoint as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Objectives,
        plugins::testing::{cx, uniform},
    };

    fn forecast() -> Forecast {
        Forecast {
            prefill_ms: 100.0,
            ttft_ms: 110.0,
            step_ms: 20.0,
            added_ms: 0.1,
            output_tokens: 200.0,
            others_output_tokens: 200.0,
            ..Forecast::default()
        }
    }

    fn cost(change: impl Fn(&mut Forecast)) -> f64 {
        let mut forecast = forecast();
        change(&mut forecast);
        Latency::default().cost(&cx(1_000), &forecast)
    }

    #[test]
    fn everything_that_slows_anybody_down_costs() {
        let idle = cost(|_| ());
        assert!(cost(|f| f.ttft_ms = 500.0) > idle);
        assert!(cost(|f| f.wait_ms = 500.0) > idle);
        assert!(cost(|f| f.requests = 10.0) > idle);
        assert!(cost(|f| f.queued_prompts = 3.0) > idle);
        assert!(cost(|f| f.occupancy = 1.0) > idle);
        assert!(cost(|f| f.step_ms = 40.0) > idle);
        assert!(cost(|f| f.prefill_ms = 50.0) < idle);
    }

    #[test]
    fn all_requests_in_flight_count_as_disturbed_by_a_prompt() {
        let disturbed =
            |prefill_ms, requests| cost(|f| (f.prefill_ms, f.requests) = (prefill_ms, requests));
        let of_few = disturbed(1_000.0, 10.0) - disturbed(100.0, 10.0);
        let of_many = disturbed(1_000.0, 60.0) - disturbed(100.0, 60.0);
        assert!(of_many > of_few + 6.0, "{of_few} {of_many}");
    }

    #[test]
    fn what_is_lost_anyway_costs_little_more() {
        let waits = |ms: f64| cost(|f| (f.ttft_ms, f.wait_ms, f.queued_prompts) = (ms, ms, 5.0));
        let early = waits(2_000.0) - waits(1_000.0);
        let lost = waits(40_000.0) - waits(39_000.0);
        assert!(lost < 0.1 * early, "{early} {lost}");
        let full = cost(|f| f.occupancy = 3.0) - cost(|f| f.occupancy = 2.0);
        assert!(full.abs() < 1e-9);
    }

    #[test]
    fn tighter_objectives_and_higher_priority_weigh_more() {
        let fleet = uniform(1);
        assert_eq!(fleet.endpoints().len(), 1);
        let scorer = Latency::default();
        let with = |ttft_ms: f32, priority: i8| {
            let mut cx = cx(1_000).objectives(Objectives {
                ttft_ms: Some(ttft_ms),
                ..Objectives::default()
            });
            cx.priority = priority;
            scorer.cost(&cx, &forecast())
        };
        assert!(with(200.0, 0) > with(1_000.0, 0));
        assert!(with(1_000.0, 50) > with(1_000.0, 0));
        assert!(with(1_000.0, 0) > with(1_000.0, -50));
        assert!(with(f32::NAN, 0).is_finite());
    }

    #[test]
    fn senseless_parameters_are_refused() {
        let refused = |json: &str| {
            serde_json::from_str(json)
                .map_err(|_| ())
                .and_then(|params| Latency::new(params).map_err(|_| ()))
                .is_err()
        };
        assert!(refused(r#"{"ttft_ms": 0}"#));
        assert!(refused(r#"{"decode_weight": -1}"#));
        assert!(refused(r#"{"weight": 1}"#));
        assert!(!refused(r#"{"decode_weight": 0}"#));
    }
}
