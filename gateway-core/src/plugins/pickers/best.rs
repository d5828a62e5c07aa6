//! `best`: the highest score, random among ties.

use super::draw::sane;
use crate::{
    Rng, RouteCx,
    plugin::{Candidate, Picker},
};

/// Takes the highest score; equal ones share the traffic at random.
///
/// The default, and right wherever load is booked with the choice, as it is here. With several gateways in front of the
/// same engines prefer `softmax` or `power-of-two`, which do not all run to the same endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub struct Best;

impl Picker for Best {
    fn pick(
        &self,
        _cx: &RouteCx<'_>,
        _candidates: &[Candidate<'_>],
        scores: &[f32],
        rng: &mut Rng,
    ) -> Option<usize> {
        let best = scores.iter().copied().map(sane).reduce(f32::max)?;
        let ties = || (0..scores.len()).filter(|&at| sane(scores[at]) == best);
        match ties().count() {
            1 => ties().next(),
            count => ties().nth(rng.below(count)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, uniform};

    fn counts(scores: &[f32]) -> Vec<u32> {
        let fleet = uniform(scores.len());
        let all = candidates(&fleet);
        let mut rng = Rng::from_seed(5);
        let mut counts = vec![0; scores.len()];
        for _ in 0..3_000 {
            counts[Best
                .pick(&cx(1), &all, scores, &mut rng)
                .expect("not empty")] += 1;
        }
        counts
    }

    #[test]
    fn takes_the_highest_and_shares_ties_evenly() {
        assert_eq!(counts(&[0.1, 0.9, 0.3]), [0, 3_000, 0]);
        let shared = counts(&[0.9, 0.1, 0.9, 0.9]);
        assert_eq!(shared[1], 0);
        assert!(
            [0, 2, 3]
                .iter()
                .all(|&at| (900..1_100).contains(&shared[at])),
            "{shared:?}"
        );
    }

    #[test]
    fn no_number_never_wins_and_nobody_is_nobody() {
        assert_eq!(counts(&[f32::NAN, 0.2, f32::NAN]), [0, 3_000, 0]);
        assert_eq!(counts(&[f32::NAN]), [3_000]);
        assert_eq!(Best.pick(&cx(1), &[], &[], &mut Rng::from_seed(1)), None);
    }
}
