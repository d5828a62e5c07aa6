//! `static-weight`: a fixed share, as configured.

use crate::{
    RouteCx,
    plugin::{Candidate, Scorer},
};

/// Scores the endpoint's [`weight`](crate::EndpointSpec::weight) over the greatest weight among the candidates.
///
/// Use it to send a share of traffic to an endpoint: with the picker `weighted-random` and no other scorer, traffic follows
/// the weights exactly (a canary at weight 0.05). With `best` it is only a preference that the other scorers can outweigh.
/// It is no way to describe faster chips where load is balanced: they finish sooner and so look less loaded by themselves.
/// Weights that are not positive numbers count as 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct StaticWeight;

impl Scorer for StaticWeight {
    fn score(&self, _cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        let mut greatest = 0.0_f32;
        for (candidate, score) in candidates.iter().zip(out.iter_mut()) {
            let weight = candidate.endpoint.weight();
            *score = if weight.is_finite() {
                weight.max(0.0)
            } else {
                0.0
            };
            greatest = greatest.max(*score);
        }
        if greatest > 0.0 {
            out.iter_mut().for_each(|score| *score /= greatest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec,
        plugins::testing::{candidates, cx, fleet, scores},
    };

    fn scored(weights: &[f32]) -> Vec<f32> {
        let spec = |(n, &weight): (usize, &f32)| EndpointSpec::new(format!("e{n}")).weight(weight);
        let fleet = fleet(weights.iter().enumerate().map(spec));
        scores(&StaticWeight, &cx(1), &candidates(&fleet))
    }

    #[test]
    fn is_relative_to_the_greatest() {
        assert_eq!(scored(&[1.0, 2.0, 4.0]), [0.25, 0.5, 1.0]);
        assert_eq!(scored(&[0.01]), [1.0]);
    }

    #[test]
    fn nonsense_counts_as_nothing() {
        assert_eq!(
            scored(&[f32::NAN, -1.0, f32::INFINITY, 0.5]),
            [0.0, 0.0, 0.0, 1.0]
        );
        assert_eq!(scored(&[0.0, 0.0]), [0.0, 0.0]);
    }

    #[test]
    fn an_unset_weight_is_one() {
        let fleet = fleet([
            EndpointSpec::new("unset"),
            EndpointSpec::new("half").weight(0.5),
        ]);
        assert_eq!(
            scores(&StaticWeight, &cx(1), &candidates(&fleet)),
            [1.0, 0.5]
        );
    }
}
