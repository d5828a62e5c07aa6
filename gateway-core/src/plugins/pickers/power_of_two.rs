//! `power-of-two`: the better of two drawn at random.

use super::draw::sane;
use crate::{
    Rng, RouteCx,
    plugin::{Candidate, Picker},
};

/// Draws two different candidates and takes the one with the higher score; at equal scores the one with fewer requests, and
/// at equal requests either.
///
/// Use it where several gateways decide over the same engines on readings of some age: it balances nearly as well as the
/// best choice and never sends everybody to the same endpoint. Do not use it for affinity: the endpoint that holds the
/// prefix is seldom among the two.
///
/// Mitzenmacher, "The power of two choices in randomized load balancing", 2001.
#[derive(Clone, Copy, Debug, Default)]
pub struct PowerOfTwo;

impl Picker for PowerOfTwo {
    fn pick(
        &self,
        _cx: &RouteCx<'_>,
        candidates: &[Candidate<'_>],
        scores: &[f32],
        rng: &mut Rng,
    ) -> Option<usize> {
        let count = candidates.len().min(scores.len());
        if count < 2 {
            return (count == 1).then_some(0);
        }
        let first = rng.below(count);
        let mut second = rng.below(count - 1);
        if second >= first {
            second += 1;
        }
        let rank = |at: usize| {
            (
                sane(scores[at]),
                std::cmp::Reverse(candidates[at].load.requests),
            )
        };
        Some(if rank(second) > rank(first) {
            second
        } else {
            first
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, uniform};

    fn counts(scores: [f32; 4], requests: [u32; 4]) -> [u32; 4] {
        let fleet = uniform(4);
        let mut all = candidates(&fleet);
        all.iter_mut()
            .zip(requests)
            .for_each(|(c, requests)| c.load.requests = requests);
        let mut rng = Rng::from_seed(17);
        let mut counts = [0; 4];
        for _ in 0..12_000 {
            counts[PowerOfTwo
                .pick(&cx(1), &all, &scores, &mut rng)
                .expect("not empty")] += 1;
        }
        counts
    }

    #[test]
    fn the_rank_decides_the_share() {
        // Of the six pairs the best wins three, the next two, the third one, the worst none.
        let [worst, third, second, best] = counts([0.1, 0.2, 0.3, 0.4], [0; 4]);
        assert_eq!(worst, 0);
        assert!(
            (1_850..2_150).contains(&third) && (3_850..4_150).contains(&second),
            "{third} {second}"
        );
        assert!((5_850..6_150).contains(&best), "{best}");
    }

    #[test]
    fn fewer_requests_break_a_tie_and_chance_breaks_the_next() {
        assert_eq!(counts([0.5; 4], [1, 1, 1, 9])[3], 0);
        assert!(
            counts([0.5; 4], [2; 4])
                .iter()
                .all(|count| (2_850..3_150).contains(count))
        );
        assert_eq!(
            counts([0.5, 0.5, 0.5, f32::NAN], [0; 4])[3],
            0,
            "no number never wins"
        );
    }

    #[test]
    fn one_or_none_needs_no_drawing() {
        let fleet = uniform(1);
        let all = candidates(&fleet);
        let mut rng = Rng::from_seed(1);
        assert_eq!(PowerOfTwo.pick(&cx(1), &all, &[0.0], &mut rng), Some(0));
        assert_eq!(PowerOfTwo.pick(&cx(1), &[], &[], &mut rng), None);
    }
}
