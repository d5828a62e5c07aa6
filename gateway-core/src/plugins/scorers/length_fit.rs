//! `length-fit`: the endpoint is good at prompts of this length.

use serde::Deserialize;

use super::NEUTRAL;
use crate::{
    RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
    plugins::params::ensure,
};

/// Parameters of [`LengthFit`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LengthFitParams {
    /// The endpoint label that holds its optimal minimum, in tokens: the prompt length from which it is at its best.
    /// Default: `optimal_min_tokens`.
    pub label: String,
    /// The best prompt length, in tokens, for endpoints without a range or an optimal minimum of their own.
    /// Default: none.
    pub optimal_tokens: Option<u32>,
    /// How fast the score falls outside the range: at twice (or half) the length it is 0.5 to the power of this.
    /// Default: 1.
    pub sharpness: f32,
    /// Count only the prompt tokens that the endpoint would have to compute. Default: false.
    pub uncached: bool,
}

impl Default for LengthFitParams {
    fn default() -> Self {
        Self {
            label: "optimal_min_tokens".to_owned(),
            optimal_tokens: None,
            sharpness: 1.0,
            uncached: false,
        }
    }
}

/// Scores 1 inside the endpoint's [`prompt_range`](crate::EndpointSpec::prompt_range) and (nearer end / length) to the
/// power of `sharpness` outside it (the inverse where the prompt is too short), so that distances count as ratios.
///
/// An endpoint without a range may carry an optimal minimum in a label. Of those whose minimum the prompt reaches, the one
/// with the greatest scores 1 and others 0.5 + 0.5 · (minimum / greatest); one that the prompt does not reach scores
/// 0.5 · (length / minimum) to the power of `sharpness`. So long prompts go to who wants long ones, and short ones to who is
/// left.
///
/// Without either it is measured at `optimal_tokens`; without that too, and for requests of unknown length, the score is 0.5.
///
/// Use it where chips differ in what they are good at (long prefills on one, short interactive requests on another) and the
/// others should still help out; where lengths must stay apart use the filter `prompt-range`.
///
/// A soft form of length bucketing (SMG's `bucket`, Mélange's boundaries per chip). The optimal minimum is after Moreh's
/// `token-length-scorer`, of which the setting is published and the exact curve is not; counting uncached tokens alone is
/// ours.
#[derive(Clone, Debug, Default)]
pub struct LengthFit {
    params: LengthFitParams,
}

impl LengthFit {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where the sharpness is not a positive number.
    pub fn new(params: LengthFitParams) -> Result<Self, ParamError> {
        let positive = params.sharpness.is_finite() && params.sharpness > 0.0;
        ensure(positive, "`sharpness` must be a positive number")?;
        Ok(Self { params })
    }

    fn length(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> u32 {
        if self.params.uncached {
            candidate.uncached_tokens(cx)
        } else {
            cx.prompt_tokens
        }
    }

    /// The endpoint's optimal minimum, where that and no range decides.
    fn optimal_min(&self, candidate: &Candidate<'_>) -> Option<u32> {
        match candidate.endpoint.spec().prompt_range {
            Some(_) => None,
            None => candidate.endpoint.label(&self.params.label)?.parse().ok(),
        }
    }

    fn of_range(&self, candidate: &Candidate<'_>, length: u32) -> f32 {
        let optimal = self.params.optimal_tokens.map(|tokens| (tokens, tokens));
        let Some((least, most)) = candidate.endpoint.spec().prompt_range.or(optimal) else {
            return NEUTRAL;
        };
        let ratio = if length < least {
            ratio(length, least)
        } else if length > most {
            ratio(most, length)
        } else {
            return 1.0;
        };
        ratio.powf(self.params.sharpness)
    }

    fn of_minimum(&self, minimum: u32, greatest_reached: u32, length: u32) -> f32 {
        if minimum <= length {
            0.5 + 0.5 * ratio(minimum, greatest_reached)
        } else {
            0.5 * ratio(length, minimum).powf(self.params.sharpness)
        }
    }
}

impl Scorer for LengthFit {
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        if cx.prompt_tokens == 0 {
            out.fill(NEUTRAL);
            return;
        }
        let reached = candidates.iter().filter_map(|candidate| {
            let minimum = self.optimal_min(candidate)?;
            (minimum <= self.length(cx, candidate)).then_some(minimum)
        });
        let greatest = reached.max().unwrap_or(0);
        for (candidate, score) in candidates.iter().zip(out) {
            let length = self.length(cx, candidate);
            *score = match self.optimal_min(candidate) {
                Some(minimum) => self.of_minimum(minimum, greatest, length),
                None => self.of_range(candidate, length),
            };
        }
    }
}

/// Below 1; one token is added to both so that a length of 0 has a ratio too.
fn ratio(small: u32, large: u32) -> f32 {
    (small as f32 + 1.0) / (large as f32 + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec,
        plugins::testing::{candidates, cx, fleet, scores},
    };

    fn scored(params: LengthFitParams, tokens: u32, cached: u32) -> Vec<f32> {
        let fleet = fleet([
            EndpointSpec::new("short").prompt_range(0, 999),
            EndpointSpec::new("long").prompt_range(3_999, 100_000),
            EndpointSpec::new("any"),
        ]);
        let mut all = candidates(&fleet);
        all.iter_mut().for_each(|c| c.cached_tokens = cached);
        scores(&LengthFit::new(params).expect("valid"), &cx(tokens), &all)
    }

    #[test]
    fn falls_by_ratio_outside_the_range() {
        let plain = LengthFitParams::default;
        assert_eq!(scored(plain(), 999, 0), [1.0, 0.25, 0.5]);
        assert_eq!(scored(plain(), 1_999, 0), [0.5, 0.5, 0.5]);
        assert_eq!(scored(plain(), 3_999, 0), [0.25, 1.0, 0.5]);
        assert_eq!(
            scored(plain(), 0, 0),
            [0.5; 3],
            "an unknown length fits nobody better"
        );
    }

    #[test]
    fn sharpness_steepens_the_fall() {
        let sharp = LengthFitParams {
            sharpness: 2.0,
            ..LengthFitParams::default()
        };
        assert_eq!(scored(sharp.clone(), 1_999, 0), [0.25, 0.25, 0.5]);
        for sharpness in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            LengthFit::new(LengthFitParams {
                sharpness,
                ..sharp.clone()
            })
            .expect_err("refused");
        }
    }

    #[test]
    fn an_optimal_length_stands_in_where_the_endpoint_has_no_range() {
        let params = LengthFitParams {
            optimal_tokens: Some(1_999),
            ..LengthFitParams::default()
        };
        assert_eq!(scored(params.clone(), 3_999, 0)[2], 0.5);
        assert_eq!(scored(params, 1_999, 0)[2], 1.0);
    }

    #[test]
    fn cached_tokens_need_not_count() {
        let params = LengthFitParams {
            uncached: true,
            ..LengthFitParams::default()
        };
        assert_eq!(scored(params.clone(), 50_000, 49_001), [1.0, 0.25, 0.5]);
        assert!(scored(params, 50_000, 50_000)[1] > 0.0, "all of it cached");
    }

    #[test]
    fn an_optimal_minimum_takes_prompts_from_there_on() {
        let labelled = |name, minimum| EndpointSpec::new(name).label("optimal_min_tokens", minimum);
        let fleet = fleet([
            labelled("short", "0"),
            labelled("middle", "999"),
            labelled("long", "7999"),
            labelled("odd", "many"),
            EndpointSpec::new("none"),
        ]);
        let mut all = candidates(&fleet);
        let scorer = LengthFit::default();
        let half = 0.5_f32;
        for (tokens, expected) in [
            (99, [1.0, 0.05, 0.00625]),
            (999, [half + 0.0005, 1.0, 0.0625]),
            (9_000, [half + 0.000_062_5, 0.5625, 1.0]),
        ] {
            let scored = scores(&scorer, &cx(tokens), &all);
            for (score, expected) in scored.iter().zip(expected) {
                assert!((score - expected).abs() < 1e-6, "{tokens}: {scored:?}");
            }
            assert_eq!(scored[3..], [0.5, 0.5], "a label that is no number");
        }
        all.iter_mut().for_each(|c| c.cached_tokens = 8_901);
        let uncached = LengthFit::new(LengthFitParams {
            uncached: true,
            ..LengthFitParams::default()
        });
        let scored = scores(&uncached.expect("valid"), &cx(9_000), &all);
        assert_eq!(scored[0], 1.0, "99 tokens are left to compute");
    }
}
