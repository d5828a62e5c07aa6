//! `least-requests`: fewer requests at the engine, better score.

use crate::{
    RouteCx,
    plugin::{Candidate, Scorer},
};

/// Scores 1 / (1 + requests at the endpoint, running or queued).
///
/// Use it where requests are of similar size; where prompts differ much, add `least-queued-tokens`. The score does not
/// depend on the other candidates, so a busy fleet does not blow small differences up.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastRequests;

impl Scorer for LeastRequests {
    fn score(&self, _cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        for (candidate, score) in candidates.iter().zip(out) {
            *score = 1.0 / (1.0 + candidate.load.requests as f32);
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
}
