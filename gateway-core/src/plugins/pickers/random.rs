//! `random`: anybody, whatever the score.

use crate::{
    Rng, RouteCx,
    plugin::{Candidate, Picker},
};

/// Takes any candidate with equal chance; scores are not looked at.
///
/// Use it as a baseline to measure others against, or behind filters that leave only equals. It balances worse than
/// `round-robin` and much worse than anything that looks at load.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Picker for Random {
    fn pick(
        &self,
        _cx: &RouteCx<'_>,
        candidates: &[Candidate<'_>],
        _scores: &[f32],
        rng: &mut Rng,
    ) -> Option<usize> {
        (!candidates.is_empty()).then(|| rng.below(candidates.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, uniform};

    #[test]
    fn everybody_gets_an_equal_share() {
        let fleet = uniform(4);
        let all = candidates(&fleet);
        let mut rng = Rng::from_seed(9);
        let mut counts = [0_u32; 4];
        for _ in 0..8_000 {
            counts[Random
                .pick(&cx(1), &all, &[0.0, 1.0, 0.0, 0.0], &mut rng)
                .expect("not empty")] += 1;
        }
        assert!(
            counts.iter().all(|count| (1_850..2_150).contains(count)),
            "{counts:?}"
        );
        assert_eq!(Random.pick(&cx(1), &[], &[], &mut rng), None);
    }
}
