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
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LengthFitParams {
    /// The best prompt length, in tokens, for endpoints without a range of their own. Default: none.
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
            optimal_tokens: None,
            sharpness: 1.0,
            uncached: false,
        }
    }
}

/// Scores 1 inside the endpoint's [`prompt_range`](crate::EndpointSpec::prompt_range) and (nearer end / length) to the
/// power of `sharpness` outside it (the inverse where the prompt is too short), so that distances count as ratios.
///
/// An endpoint without a range is measured at `optimal_tokens`; without that too, and for requests of unknown length, the
/// score is 0.5.
///
/// Use it where chips differ in what they are good at (long prefills on one, short interactive requests on another) and the
/// others should still help out; where lengths must stay apart use the filter `prompt-range`.
///
/// A soft form of length bucketing (SMG's `bucket`, Mélange's boundaries per chip).
#[derive(Clone, Copy, Debug, Default)]
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

    fn one(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> f32 {
        let optimal = self.params.optimal_tokens.map(|tokens| (tokens, tokens));
        let Some((least, most)) = candidate.endpoint.spec().prompt_range.or(optimal) else {
            return NEUTRAL;
        };
        let length = if self.params.uncached {
            candidate.uncached_tokens(cx)
        } else {
            cx.prompt_tokens
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
}

impl Scorer for LengthFit {
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        if cx.prompt_tokens == 0 {
            out.fill(NEUTRAL);
            return;
        }
        for (candidate, score) in candidates.iter().zip(out) {
            *score = self.one(cx, candidate);
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
        let plain = LengthFitParams::default();
        assert_eq!(scored(plain, 999, 0), [1.0, 0.25, 0.5]);
        assert_eq!(scored(plain, 1_999, 0), [0.5, 0.5, 0.5]);
        assert_eq!(scored(plain, 3_999, 0), [0.25, 1.0, 0.5]);
        assert_eq!(
            scored(plain, 0, 0),
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
        assert_eq!(scored(sharp, 1_999, 0), [0.25, 0.25, 0.5]);
        for sharpness in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            LengthFit::new(LengthFitParams { sharpness, ..sharp }).expect_err("refused");
        }
    }

    #[test]
    fn an_optimal_length_stands_in_where_the_endpoint_has_no_range() {
        let params = LengthFitParams {
            optimal_tokens: Some(1_999),
            ..LengthFitParams::default()
        };
        assert_eq!(scored(params, 3_999, 0)[2], 0.5);
        assert_eq!(scored(params, 1_999, 0)[2], 1.0);
    }

    #[test]
    fn cached_tokens_need_not_count() {
        let params = LengthFitParams {
            uncached: true,
            ..LengthFitParams::default()
        };
        assert_eq!(scored(params, 50_000, 49_001), [1.0, 0.25, 0.5]);
        assert!(scored(params, 50_000, 50_000)[1] > 0.0, "all of it cached");
    }
}
