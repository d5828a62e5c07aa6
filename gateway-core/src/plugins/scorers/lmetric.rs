//! `lmetric`: work ahead times those who suffer.

use serde::Deserialize;

use super::cost::by_ratio;
use crate::{
    RouteCx,
    latency::Forecast,
    plugin::{Candidate, Scorer},
};

/// What prompt work is measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkUnit {
    /// Prompt tokens, as published.
    #[default]
    Tokens,
    /// Predicted milliseconds, by each endpoint's learned rates.
    Ms,
}

/// Parameters of [`LMetric`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LMetricParams {
    /// `tokens` or `ms`. Default: `tokens`.
    pub unit: WorkUnit,
}

/// Scores (1 + least cost) / (1 + cost), where cost = (work queued + work of this prompt) · (requests in flight + 1).
///
/// In tokens, work is the prompt tokens that have no first token yet and those of this request that are not cached, at
/// least 1; in milliseconds, the predicted time for the same. For a decode stage it is one token, or one decode step.
///
/// Use it alone, with the picker `best`: the product has no weights to tune, for the first factor is what this request
/// waits and the second how many others wait with it. In tokens it takes all chips for equal; on mixed ones use `ms`. Leave
/// it where memory is short: KV cache in use does not enter.
///
/// `LMetric` (2026): P-token × batch size. The milliseconds are not in that work.
#[derive(Clone, Copy, Debug, Default)]
pub struct LMetric {
    params: LMetricParams,
}

impl LMetric {
    /// The scorer with its parameters.
    #[must_use]
    pub fn new(params: LMetricParams) -> Self {
        Self { params }
    }

    /// The product, in tokens or milliseconds.
    fn cost(&self, forecast: &Forecast) -> f64 {
        let work = match self.params.unit {
            WorkUnit::Tokens => forecast.queued_tokens + forecast.uncached_tokens.max(1.0),
            WorkUnit::Ms if forecast.prefill_ms > 0.0 => forecast.wait_ms + forecast.prefill_ms,
            WorkUnit::Ms => forecast.step_ms,
        };
        work * (forecast.requests + 1.0)
    }
}

impl Scorer for LMetric {
    fn samples(&self) -> bool {
        true
    }

    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        by_ratio(candidates, out, |candidate| {
            self.cost(&candidate.forecast(cx))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec, Stage,
        latency::Hardware,
        plugins::testing::{booked, candidates, cx, fleet, scores, uniform},
    };

    fn chip(name: &str, tflops: f64, hbm_gbs: f64) -> EndpointSpec {
        EndpointSpec::new(name).hardware(Hardware {
            tflops: Some(tflops),
            hbm_gbs: Some(hbm_gbs),
            ..Hardware::default()
        })
    }

    #[test]
    fn is_the_product_of_tokens_ahead_and_requests() {
        let fleet = uniform(3);
        let _queue = booked(&fleet, 1, &[1_000]);
        let mut all = candidates(&fleet);
        all[1].load.requests = 1;
        all[2].load.requests = 4;
        all[2].cached_tokens = 600;
        let scored = scores(&LMetric::default(), &cx(1_000), &all);
        // 1000 · 1, (1000 + 1000) · 2, 400 · 5
        let expected = [1.0, 1_001.0 / 4_001.0, 1_001.0 / 2_001.0];
        for (score, expected) in scored.iter().zip(expected) {
            assert!((score - expected).abs() < 1e-6, "{scored:?}");
        }
    }

    #[test]
    fn milliseconds_know_the_chips_and_tokens_do_not() {
        let fleet = fleet([chip("slow", 312.0, 2_039.0), chip("fast", 989.0, 3_350.0)]);
        let all = candidates(&fleet);
        let in_ms = LMetric::new(LMetricParams { unit: WorkUnit::Ms });
        assert_eq!(scores(&LMetric::default(), &cx(8_000), &all), [1.0, 1.0]);
        let scored = scores(&in_ms, &cx(8_000), &all);
        assert!(scored[1] == 1.0 && scored[0] < 0.5, "{scored:?}");
    }

    #[test]
    fn a_decode_stage_goes_by_requests() {
        let fleet = uniform(2);
        let mut all = candidates(&fleet);
        all[0].load.requests = 3;
        for unit in [WorkUnit::Tokens, WorkUnit::Ms] {
            let scorer = LMetric::new(LMetricParams { unit });
            let scored = scores(&scorer, &cx(500).stage(Stage::Decode), &all);
            assert!(scored[1] == 1.0 && scored[0] < 0.5, "{unit:?}: {scored:?}");
        }
    }
}
