//! `least-requests`: fewer requests at the engine, better score.

use crate::{
    RouteCx,
    plugin::{Candidate, Scorer},
};

/// Scores (1 + fewest requests at any candidate) / (1 + requests at this one), running or queued.
///
/// Use it where requests are of similar size; where prompts differ much, add `least-queued-tokens`. The score is the ratio
/// to the idlest candidate: one request more means much in an idle fleet and little in a busy one, and an endpoint with
/// many times the load of another loses the same whether the fleet is idle or busy, so that affinity cannot pile
/// requests up without end.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastRequests;

impl Scorer for LeastRequests {
    fn samples(&self) -> bool {
        true
    }

    fn score(&self, _cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        let fewest = candidates
            .iter()
            .map(|c| c.load.requests)
            .min()
            .unwrap_or(0);
        let best = 1.0 + fewest as f32;
        for (candidate, score) in candidates.iter().zip(out) {
            *score = best / (1.0 + candidate.load.requests as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, scores, uniform};

    #[test]
    fn falls_with_each_request_and_never_to_nothing() {
        let fleet = uniform(4);
        let mut all = candidates(&fleet);
        for (candidate, requests) in all.iter_mut().zip([0, 1, 3, u32::MAX]) {
            candidate.load.requests = requests;
        }
        let scored = scores(&LeastRequests, &cx(1), &all);
        assert_eq!(scored[..3], [1.0, 0.5, 0.25]);
        assert!(scored[3] > 0.0 && scored[3] < 1e-9);
    }

    #[test]
    fn is_a_ratio_so_a_busy_fleet_still_tells_twice_the_load() {
        let fleet = uniform(3);
        let mut all = candidates(&fleet);
        for (candidate, requests) in all.iter_mut().zip([99, 199, 100]) {
            candidate.load.requests = requests;
        }
        let scored = scores(&LeastRequests, &cx(1), &all);
        assert_eq!(scored[..2], [1.0, 0.5]);
        assert!(scored[2] > 0.98, "one request more is nothing here");
    }
}
