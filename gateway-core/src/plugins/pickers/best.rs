//! `best`: the highest score, random among ties.

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
    fn pick(&self, _cx: &RouteCx<'_>, _candidates: &[Candidate<'_>], scores: &[f32], rng: &mut Rng) -> Option<usize> {
        let mut best: Option<usize> = None;
        let mut ties = 0;
        for (at, &score) in scores.iter().enumerate() {
            match best {
                Some(held) if score < scores[held] => {}
                Some(held) if score == scores[held] => {
                    // Reservoir sampling: each of k equal ones is kept with probability 1/k.
                    ties += 1;
                    if rng.below(ties) == 0 {
                        best = Some(at);
                    }
                }
                _ => {
                    best = Some(at);
                    ties = 1;
                }
            }
        }
        best
    }
}
