//! `softmax`: mostly the best, by a temperature.

use serde::Deserialize;

use super::{
    Best,
    draw::{draw, sane},
};
use crate::{
    Rng, RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Picker},
    plugins::params::ensure,
};

/// Parameters of [`Softmax`].
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SoftmaxParams {
    /// 0 takes the best; the larger, the more equal the chances. Default: 0.1.
    pub temperature: f32,
}

impl Default for SoftmaxParams {
    fn default() -> Self {
        Self { temperature: 0.1 }
    }
}

/// Takes each candidate with a probability proportional to exp(z / temperature), where z is its score stretched so that the
/// worst candidate has 0 and the best 1.
///
/// The stretching makes the temperature mean the same whatever the scorers: at the default of 0.1 a candidate half-way
/// between worst and best has a chance of e^-5, 0.7 percent, against the best. Equal scores have equal chances.
///
/// Use it where several gateways decide over the same engines, so that they do not all run to the one that looks best, or
/// to keep exploring. One gateway alone is better off with `best`.
///
/// Dynamo and SMG pick in the same way on normalised cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Softmax {
    params: SoftmaxParams,
}

impl Softmax {
    /// The picker with its parameters.
    ///
    /// # Errors
    /// Where the temperature is negative or no number.
    pub fn new(params: SoftmaxParams) -> Result<Self, ParamError> {
        let warm = params.temperature.is_finite() && params.temperature >= 0.0;
        ensure(warm, "`temperature` must be a number of at least 0")?;
        Ok(Self { params })
    }
}

impl Picker for Softmax {
    fn pick(
        &self,
        cx: &RouteCx<'_>,
        candidates: &[Candidate<'_>],
        scores: &[f32],
        rng: &mut Rng,
    ) -> Option<usize> {
        let sound = || scores.iter().map(|&score| sane(score).min(1.0));
        let (worst, best) = sound().fold((1.0_f32, 0.0_f32), |(low, high), score| {
            (low.min(score), high.max(score))
        });
        let unit = f64::from(best - worst) * f64::from(self.params.temperature);
        if unit <= 0.0 {
            return Best.pick(cx, candidates, scores, rng);
        }
        // Measured from the best downwards, so that no exponential overflows and the sum is never 0.
        draw(
            sound().map(|score| (f64::from(score - best) / unit).exp()),
            rng,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::cx;

    fn counts<const N: usize>(temperature: f32, scores: [f32; N]) -> [u32; N] {
        let picker = Softmax::new(SoftmaxParams { temperature }).expect("valid");
        let mut rng = Rng::from_seed(33);
        let mut counts = [0; N];
        for _ in 0..10_000 {
            counts[picker
                .pick(&cx(1), &[], &scores, &mut rng)
                .expect("not empty")] += 1;
        }
        counts
    }

    #[test]
    fn chances_fall_exponentially_whatever_the_scale() {
        // At temperature 1 the odds of worst to best are 1 : e, so 26.9 %.
        for scores in [[0.2, 0.8], [0.500, 0.501]] {
            let [worse, better] = counts(1.0, scores);
            assert!((2_550..2_830).contains(&worse), "{worse} to {better}");
        }
    }

    #[test]
    fn cold_takes_the_best_and_hot_takes_anybody() {
        assert_eq!(counts(0.0, [0.1, 0.9, 0.5]), [0, 10_000, 0]);
        assert_eq!(counts(f32::MIN_POSITIVE, [0.1, 0.9, 0.5]), [0, 10_000, 0]);
        assert!(
            counts(f32::MAX, [0.1, 0.9])
                .iter()
                .all(|count| (4_800..5_200).contains(count))
        );
    }

    #[test]
    fn equal_or_broken_scores_are_no_trouble() {
        assert!(
            counts(0.1, [0.4, 0.4])
                .iter()
                .all(|count| (4_800..5_200).contains(count))
        );
        let [nan, best] = counts(0.1, [f32::NAN, 0.5]);
        assert!(nan < 10, "{nan} to {best}");
        assert_eq!(
            Softmax::default().pick(&cx(1), &[], &[], &mut Rng::from_seed(1)),
            None
        );
    }

    #[test]
    fn temperatures_that_are_none_are_refused() {
        for temperature in [-0.1, f32::NAN, f32::INFINITY] {
            Softmax::new(SoftmaxParams { temperature }).expect_err("refused");
        }
    }
}
