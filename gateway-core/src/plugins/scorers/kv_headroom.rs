//! `kv-headroom`: more free KV cache, better score.

use super::NEUTRAL;
use crate::{
    RouteCx,
    plugin::{Candidate, Scorer},
};

/// Scores 1 - share of the KV cache in use; an endpoint that does not say scores 0.5.
///
/// Use it with a small weight beside the others: an engine that runs out of KV cache preempts requests and computes them
/// again. Leave it out where engines do not report KV use, and note that a full cache alone is no trouble: many engines
/// count cached prefixes as free, but not all do.
///
/// llm-d's KV-cache scorer uses the same formula.
#[derive(Clone, Copy, Debug, Default)]
pub struct KvHeadroom;

impl Scorer for KvHeadroom {
    fn samples(&self) -> bool {
        true
    }

    fn score(&self, _cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        for (candidate, score) in candidates.iter().zip(out) {
            let used = candidate.load.kv_used.filter(|used| used.is_finite());
            *score = used.map_or(NEUTRAL, |used| 1.0 - used.clamp(0.0, 1.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, scores, uniform};

    #[test]
    fn is_what_is_left_and_neutral_where_nobody_knows() {
        let fleet = uniform(6);
        let mut all = candidates(&fleet);
        let uses = [
            None,
            Some(0.0),
            Some(0.75),
            Some(1.0),
            Some(1.5),
            Some(f32::NAN),
        ];
        all.iter_mut()
            .zip(uses)
            .for_each(|(c, used)| c.load.kv_used = used);
        assert_eq!(
            scores(&KvHeadroom, &cx(1), &all),
            [0.5, 1.0, 0.25, 0.0, 0.0, 0.5]
        );
    }
}
