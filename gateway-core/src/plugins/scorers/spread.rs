//! `waiting-requests` and `running-requests`: fewer, better, between the fewest and the most of any candidate.

use crate::{
    RouteCx,
    plugin::{Candidate, Scorer},
};

/// Scores (most - waiting) / (most - fewest), where waiting is the requests without a first token, and the most and the
/// fewest are those of any candidate; 1 where all have the same.
///
/// Use it for policies written for llm-d or Moreh: its scores mean the same there. One request more or less is everything
/// in an idle fleet and next to nothing in a busy one; `least-requests` keeps its sense of proportion.
///
/// llm-d's queue scorer, Moreh's `waiting-requests`; both from scrapes alone, where here own requests count at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct WaitingRequests;

impl Scorer for WaitingRequests {
    fn samples(&self) -> bool {
        true
    }

    fn score(&self, _cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        between(candidates, out, |candidate| candidate.load.waiting);
    }
}

/// Scores (most - running) / (most - fewest), where running is the requests that have their first token; 1 where all have
/// the same.
///
/// Use it for decode stages of policies written for llm-d or Moreh; what holds for [`WaitingRequests`] holds here.
///
/// llm-d's running-requests-size scorer, Moreh's `running-requests`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunningRequests;

impl Scorer for RunningRequests {
    fn samples(&self) -> bool {
        true
    }

    fn score(&self, _cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        between(candidates, out, |candidate| {
            let load = &candidate.load;
            load.requests.saturating_sub(load.waiting)
        });
    }
}

fn between(candidates: &[Candidate<'_>], out: &mut [f32], count: impl Fn(&Candidate<'_>) -> u32) {
    let most = candidates.iter().map(&count).max().unwrap_or(0);
    let fewest = candidates.iter().map(&count).min().unwrap_or(0);
    for (candidate, score) in candidates.iter().zip(out) {
        *score = if most == fewest {
            1.0
        } else {
            (f64::from(most - count(candidate)) / f64::from(most - fewest)) as f32
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, scores, uniform};

    #[test]
    fn are_stretched_between_the_fewest_and_the_most() {
        let fleet = uniform(3);
        let mut all = candidates(&fleet);
        for (candidate, (waiting, requests)) in all.iter_mut().zip([(2, 10), (4, 10), (6, 7)]) {
            candidate.load.waiting = waiting;
            candidate.load.requests = requests;
        }
        assert_eq!(scores(&WaitingRequests, &cx(1), &all), [1.0, 0.5, 0.0]);
        let running = scores(&RunningRequests, &cx(1), &all);
        assert_eq!(running, [0.0, 2.0 / 7.0, 1.0]);
        assert_eq!(scores(&WaitingRequests, &cx(1), &all[..1]), [1.0]);
    }
}
