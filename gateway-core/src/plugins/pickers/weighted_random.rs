//! `weighted-random`: chances in proportion to the scores.

use super::draw::{draw, sane};
use crate::{
    Rng, RouteCx,
    plugin::{Candidate, Picker},
};

/// Takes each candidate with probability score / sum of all scores; where all scores are 0, anybody.
///
/// Use it with `static-weight` to split traffic by fixed shares. With load scorers it is a mild preference only: two
/// endpoints at 0.9 and 0.6 still get 60 and 40 percent. Where the best should mostly win, use `softmax`.
#[derive(Clone, Copy, Debug, Default)]
pub struct WeightedRandom;

impl Picker for WeightedRandom {
    fn pick(
        &self,
        _cx: &RouteCx<'_>,
        _candidates: &[Candidate<'_>],
        scores: &[f32],
        rng: &mut Rng,
    ) -> Option<usize> {
        // No score is above 1, so that no infinity can get into the sum.
        draw(
            scores.iter().map(|&score| f64::from(sane(score).min(1.0))),
            rng,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::cx;

    fn counts<const N: usize>(scores: [f32; N]) -> [u32; N] {
        let mut rng = Rng::from_seed(21);
        let mut counts = [0; N];
        for _ in 0..10_000 {
            counts[WeightedRandom
                .pick(&cx(1), &[], &scores, &mut rng)
                .expect("not empty")] += 1;
        }
        counts
    }

    #[test]
    fn traffic_follows_the_scores() {
        let [a, b, never] = counts([0.9, 0.6, 0.0]);
        assert_eq!(never, 0);
        assert!((5_850..6_150).contains(&a), "{a} to {b}");
    }

    #[test]
    fn without_any_score_all_are_equal() {
        assert!(
            counts([0.0; 4])
                .iter()
                .all(|count| (2_350..2_650).contains(count))
        );
        assert_eq!(counts([f32::NAN, 0.1, f32::NEG_INFINITY]), [0, 10_000, 0]);
        assert_eq!(
            WeightedRandom.pick(&cx(1), &[], &[], &mut Rng::from_seed(1)),
            None
        );
    }
}
