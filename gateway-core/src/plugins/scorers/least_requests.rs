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
    #[expect(clippy::cast_precision_loss, reason = "a score needs no more than a float's precision")]
    fn score(&self, _cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        for (candidate, score) in candidates.iter().zip(out) {
            *score = 1.0 / (1.0 + candidate.load.requests as f32);
        }
    }
}
