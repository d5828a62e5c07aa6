//! `sticky-until-saturated`: where the prompt is cached, until that costs too much.

use serde::Deserialize;

use super::{
    cost::{by_ratio, by_ratio_preferring},
    token_load::work_tokens,
};
use crate::{
    RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
    plugins::params::ensure,
};

/// What an endpoint's load is measured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoadUnit {
    /// Prompt tokens queued and own: where prompts are the bottleneck.
    #[default]
    Tokens,
    /// Requests in flight: where decoding is.
    Requests,
}

/// Parameters of [`StickyUntilSaturated`].
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StickyUntilSaturatedParams {
    /// The share of the prompt, 0 to 1, that makes an endpoint warm when cached there. Default: 0.8.
    pub affinity_threshold: f32,
    /// How much later than at the best cold endpoint the first token may come at the best warm one, in milliseconds.
    /// Default: 18000.
    pub max_ttft_penalty_ms: f64,
    /// Prompt tokens an engine computes in a second, by which waiting times are guessed; `null` takes each endpoint's
    /// learned rates. Default: 15928.
    pub prefill_tokens_per_s: Option<f64>,
    /// `tokens` or `requests`: what is compared among warm endpoints, and among all once nobody is. Default: `tokens`.
    pub load: LoadUnit,
    /// How often, 0 to 1, affinity is left out of account. Default: 0.
    pub exploration: f64,
}

impl Default for StickyUntilSaturatedParams {
    fn default() -> Self {
        Self {
            affinity_threshold: 0.8,
            max_ttft_penalty_ms: 18_000.0,
            prefill_tokens_per_s: Some(15_928.0),
            load: LoadUnit::Tokens,
            exploration: 0.0,
        }
    }
}

/// Scores warm endpoints from 0.5 to 1 and others below 0.5, each by (1 + least load) / (1 + load) of their kind. Where
/// nobody is warm, or the best warm endpoint is predicted to be later than the best cold one by more than the penalty, load
/// alone counts, for all alike.
///
/// Use it where one bottleneck is known and its rate is measured: with a fixed rate, rate times penalty is the queue up to
/// which endpoints keep their prompts. The defaults are those of one model on one chip; elsewhere set the rate, or `null`.
///
/// llm-d's default advice since August 2026: its prefix-cache-affinity filter, with its token-load or active-request scorer
/// behind it. Loads compare as they do there, but as ratios. A request's tokens count until its first token, not its last.
#[derive(Clone, Copy, Debug, Default)]
pub struct StickyUntilSaturated {
    params: StickyUntilSaturatedParams,
}

impl StickyUntilSaturated {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where a share is outside 0 to 1, the penalty is negative, or the rate is not positive.
    pub fn new(params: StickyUntilSaturatedParams) -> Result<Self, ParamError> {
        for (name, share) in [
            ("affinity_threshold", f64::from(params.affinity_threshold)),
            ("exploration", params.exploration),
        ] {
            let sound = (0.0..=1.0).contains(&share);
            ensure(sound, &format!("`{name}` must be from 0 to 1"))?;
        }
        let penalty = params.max_ttft_penalty_ms;
        ensure(
            penalty.is_finite() && penalty >= 0.0,
            "`max_ttft_penalty_ms` must be 0 or more milliseconds",
        )?;
        ensure(
            params
                .prefill_tokens_per_s
                .is_none_or(|rate| rate.is_finite() && rate > 0.0),
            "`prefill_tokens_per_s` must be a positive number, or null",
        )?;
        Ok(Self { params })
    }

    fn is_warm(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        let share = candidate.cached_tokens as f32 / cx.prompt_tokens.max(1) as f32;
        candidate.cached_tokens > 0 && share >= self.params.affinity_threshold
    }

    fn ttft_ms(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> f64 {
        match self.params.prefill_tokens_per_s {
            Some(rate) => candidate.load.queued_tokens as f64 / rate * 1_000.0,
            None => {
                let forecast = candidate.forecast(cx);
                forecast.wait_ms + forecast.prefill_ms
            }
        }
    }

    /// Whether warm endpoints are to be preferred this time.
    fn sticks(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>]) -> bool {
        let draw = (cx.draw >> 11) as f64 / (1_u64 << 53) as f64;
        if draw < self.params.exploration {
            return false;
        }
        let soonest = |warm: bool| {
            let of_kind = candidates.iter().filter(|c| self.is_warm(cx, c) == warm);
            of_kind
                .map(|candidate| self.ttft_ms(cx, candidate))
                .fold(f64::INFINITY, f64::min)
        };
        let warm = soonest(true);
        warm.is_finite() && warm - soonest(false) <= self.params.max_ttft_penalty_ms
    }
}

impl Scorer for StickyUntilSaturated {
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        let load = |candidate: &Candidate<'_>| match self.params.load {
            LoadUnit::Tokens => work_tokens(cx, candidate),
            LoadUnit::Requests => f64::from(candidate.load.requests),
        };
        if self.sticks(cx, candidates) {
            by_ratio_preferring(candidates, out, |c| self.is_warm(cx, c), load);
        } else {
            by_ratio(candidates, out, load);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, scores, uniform};

    fn best(params: StickyUntilSaturatedParams, cx: &RouteCx<'_>, all: &[Candidate<'_>]) -> usize {
        let scorer = StickyUntilSaturated::new(params).expect("valid");
        let scores = scores(&scorer, cx, all);
        (0..all.len()).find(|&at| scores[at] == 1.0).expect("best")
    }

    #[test]
    fn stays_warm_up_to_rate_times_penalty() {
        let fleet = uniform(3);
        let mut all = candidates(&fleet);
        let plain = StickyUntilSaturatedParams::default();
        all[1].cached_tokens = 800;
        all[2].cached_tokens = 799;
        assert_eq!(best(plain, &cx(1_000), &all), 1);
        all[1].load.queued_tokens = 286_704; // 15928 a second for 18 s
        assert_eq!(best(plain, &cx(1_000), &all), 1);
        all[1].load.queued_tokens += 1;
        assert_eq!(best(plain, &cx(1_000), &all), 2, "then by tokens alone");
    }

    #[test]
    fn the_less_loaded_of_two_warm_ones_by_either_measure() {
        let fleet = uniform(3);
        let mut all = candidates(&fleet);
        for (candidate, (tokens, requests)) in all.iter_mut().zip([(0, 0), (5_000, 1), (4_999, 9)])
        {
            candidate.load.queued_tokens = tokens;
            candidate.load.requests = requests;
        }
        all[1].cached_tokens = 1_000;
        all[2].cached_tokens = 1_000;
        let plain = StickyUntilSaturatedParams::default();
        let by_requests = StickyUntilSaturatedParams {
            load: LoadUnit::Requests,
            ..plain
        };
        assert_eq!(best(plain, &cx(1_000), &all), 2);
        assert_eq!(best(by_requests, &cx(1_000), &all), 1);
    }

    #[test]
    fn explores_and_predicts_where_told_to() {
        let fleet = uniform(2);
        let mut all = candidates(&fleet);
        all[1].cached_tokens = 1_000;
        all[1].load.queued_tokens = 10_000;
        let plain = StickyUntilSaturatedParams::default();
        let curious = StickyUntilSaturatedParams {
            exploration: 0.5,
            ..plain
        };
        let mut cx = cx(1_000);
        for (draw, at) in [(0, 0), (u64::MAX / 4, 0), (u64::MAX / 4 * 3, 1)] {
            cx.draw = draw;
            assert_eq!(best(curious, &cx, &all), at, "{draw}");
        }
        let learned = StickyUntilSaturatedParams {
            prefill_tokens_per_s: None,
            max_ttft_penalty_ms: 0.0,
            ..plain
        };
        assert_eq!(
            best(learned, &cx, &all),
            1,
            "the forecast knows of no queue"
        );
    }

    #[test]
    fn parameters_that_make_no_sense_are_refused() {
        for json in [
            r#"{"affinity_threshold": 1.1}"#,
            r#"{"exploration": -0.1}"#,
            r#"{"max_ttft_penalty_ms": -1}"#,
            r#"{"prefill_tokens_per_s": 0}"#,
        ] {
            let params = serde_json::from_str(json).expect("json");
            StickyUntilSaturated::new(params).expect_err(json);
        }
    }
}
