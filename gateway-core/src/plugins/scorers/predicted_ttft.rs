//! `predicted-ttft`: the first token soonest.

use super::cost::by_ratio;
use crate::{
    RouteCx, Stage,
    plugin::{Candidate, Scorer},
};

/// Scores (1 + least cost) / (1 + cost), where cost is the predicted time to the first token in milliseconds: the prompts
/// ahead, the request's own prompt without its cached part, and the loading of what is cached in a lower tier. For a decode
/// stage the cost is one decode step with the request in it.
///
/// Use it where time to the first token is all that counts. It is blind to what the request costs those who decode already;
/// `latency` is the same prediction with their share added. The rates are learned per endpoint, from the hardware
/// described.
///
/// Mooncake (FAST 2025), Algorithm 1, without its transfer of KV cache between engines, which no router can order from
/// outside, and with rates learned online where Mooncake fits them beforehand.
#[derive(Clone, Copy, Debug, Default)]
pub struct PredictedTtft;

impl Scorer for PredictedTtft {
    fn samples(&self) -> bool {
        true
    }

    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        by_ratio(candidates, out, |candidate| {
            let forecast = candidate.forecast(cx);
            match cx.stage {
                Stage::Decode => forecast.step_ms + forecast.added_ms,
                _ => forecast.wait_ms + forecast.prefill_ms,
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{booked, candidates, cx, scores, uniform};

    #[test]
    fn the_cache_counts_until_the_queue_before_it_is_longer() {
        let fleet = uniform(2);
        let mut all = candidates(&fleet);
        all[0].cached_tokens = 6_000;
        let scored = scores(&PredictedTtft, &cx(8_000), &all);
        assert!(scored[0] == 1.0 && scored[1] < 0.5, "{scored:?}");
        let _queue = booked(&fleet, 0, &[8_000, 8_000]);
        all[0].load.requests = 2;
        let scored = scores(&PredictedTtft, &cx(8_000), &all);
        assert!(scored[1] == 1.0 && scored[0] < 0.7, "{scored:?}");
    }

    #[test]
    fn loading_costs_less_than_computing_and_more_than_nothing() {
        let fleet = uniform(3);
        let mut all = candidates(&fleet);
        all[0].cached_tokens = 8_000;
        all[1].cached_tokens = 8_000;
        all[1].loaded_tokens = 8_000;
        let scored = scores(&PredictedTtft, &cx(10_000), &all);
        assert!(scored[0] > scored[1] && scored[1] > scored[2], "{scored:?}");
    }

    #[test]
    fn decode_goes_by_the_step() {
        let fleet = uniform(2);
        let mut all = candidates(&fleet);
        all[0].load.requests = 50;
        let scored = scores(&PredictedTtft, &cx(100).stage(Stage::Decode), &all);
        assert!(scored[1] == 1.0 && scored[0] < 1.0, "{scored:?}");
    }
}
