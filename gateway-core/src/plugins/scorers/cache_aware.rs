//! `cache-aware`: the best match while load is balanced, else the shortest queue.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Deserialize;

use super::{
    considered::Considered,
    cost::{by_ratio, by_ratio_preferring},
};
use crate::{
    EndpointId, RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Observer, RouteEvent, Scorer},
    plugins::params::ensure,
};

/// Parameters of [`CacheAware`].
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheAwareParams {
    /// How many requests apart the most and the least loaded endpoint may be, whatever their ratio. Default: 32.
    pub balance_requests: u32,
    /// How many times the least loaded endpoint's requests the most loaded one may have, whatever the difference.
    /// Default: 1.1.
    pub balance_ratio: f32,
    /// The share of the prompt, 0 to 1, that must be cached for a match to count. Default: 0.5.
    pub match_threshold: f32,
    /// Tokens at which an endpoint's tree stops growing. Default: 67108864.
    pub tree_tokens: u64,
}

impl Default for CacheAwareParams {
    fn default() -> Self {
        Self {
            balance_requests: 32,
            balance_ratio: 1.1,
            match_threshold: 0.5,
            tree_tokens: 1 << 26,
        }
    }
}

/// Chooses by three rules in order. The best scores 1:
///
/// 1. where the most loaded candidate has more than `balance_requests` requests more than the least loaded one, and more
///    than `balance_ratio` times as many: fewest requests;
/// 2. where somebody has more than `match_threshold` of the prompt cached: whoever has most, of these the fewest requests;
/// 3. else the smallest tree: the endpoint to which the fewest uncached prompt tokens were sent so far.
///
/// Use it to compare, or to keep what you are used to. Its thresholds are blind to prompt lengths and chips, and a match just
/// below the threshold is worth nothing.
///
/// SGLang's router as it is in SMG (`cache_aware`). The match is the prefix index's, by events where there are any, and not
/// that of a tree of characters; trees stop at `tree_tokens` where SMG evicts at intervals; they are forgotten when the
/// pipeline is built anew.
#[derive(Debug, Default)]
pub struct CacheAware {
    params: CacheAwareParams,
    sent: Mutex<Sent>,
}

#[derive(Debug, Default)]
struct Sent {
    considered: Considered,
    /// Uncached prompt tokens sent to each endpoint; at most one entry for each endpoint number.
    trees: BTreeMap<EndpointId, f64>,
}

impl CacheAware {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where the ratio is below 1 or the threshold is outside 0 to 1.
    pub fn new(params: CacheAwareParams) -> Result<Self, ParamError> {
        ensure(
            params.balance_ratio.is_finite() && params.balance_ratio >= 1.0,
            "`balance_ratio` must be a number of at least 1",
        )?;
        ensure(
            (0.0..=1.0).contains(&params.match_threshold),
            "`match_threshold` must be from 0 to 1",
        )?;
        Ok(Self {
            params,
            sent: Mutex::default(),
        })
    }

    fn is_unbalanced(&self, candidates: &[Candidate<'_>]) -> bool {
        let requests = || candidates.iter().map(|candidate| candidate.load.requests);
        let most = requests().max().unwrap_or(0);
        let least = requests().min().unwrap_or(0);
        most - least > self.params.balance_requests
            && f64::from(most) > f64::from(self.params.balance_ratio) * f64::from(least)
    }

    fn sent(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scorer for CacheAware {
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        let requests = |candidate: &Candidate<'_>| f64::from(candidate.load.requests);
        let mut sent = self.sent();
        sent.considered
            .remember(cx, candidates, |c| f64::from(c.uncached_tokens(cx)));
        if self.is_unbalanced(candidates) {
            return by_ratio(candidates, out, requests);
        }
        let matches = candidates.iter().map(|c| c.cached_tokens);
        let most = matches.max().unwrap_or(0).min(cx.prompt_tokens);
        let share = most as f32 / cx.prompt_tokens.max(1) as f32;
        if share > self.params.match_threshold {
            let has_most = |candidate: &Candidate<'_>| candidate.cached_tokens >= most;
            return by_ratio_preferring(candidates, out, has_most, requests);
        }
        by_ratio(candidates, out, |candidate| {
            let tree = sent.trees.get(&candidate.endpoint.id());
            tree.copied().unwrap_or(0.0)
        });
    }
}

impl Observer for CacheAware {
    fn observe(&self, event: &RouteEvent<'_>) {
        let RouteEvent::Placed { cx, endpoint } = event else {
            return;
        };
        let mut sent = self.sent();
        let tokens = sent.considered.chosen(cx, *endpoint);
        let tree = sent.trees.entry(*endpoint).or_default();
        *tree = (*tree + tokens).min(self.params.tree_tokens as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, scores, uniform};

    fn best(scorer: &CacheAware, cx: &RouteCx<'_>, all: &[Candidate<'_>]) -> Vec<usize> {
        let scores = scores(scorer, cx, all);
        (0..all.len()).filter(|&at| scores[at] == 1.0).collect()
    }

    #[test]
    fn a_match_counts_above_the_threshold_while_load_is_balanced() {
        let fleet = uniform(3);
        let mut all = candidates(&fleet);
        let scorer = CacheAware::default();
        all[1].cached_tokens = 501;
        all[2].cached_tokens = 600;
        assert_eq!(best(&scorer, &cx(1_000), &all), [2]);
        all[2].load.requests = 32;
        assert_eq!(best(&scorer, &cx(1_000), &all), [2], "32 apart is balanced");
        all[2].load.requests = 33;
        assert_eq!(best(&scorer, &cx(1_000), &all), [0, 1]);
        all.iter_mut().for_each(|c| c.load.requests += 400);
        assert_eq!(best(&scorer, &cx(1_000), &all), [2], "33 of 433 are few");
        all[2].cached_tokens = 501;
        assert_eq!(
            best(&scorer, &cx(1_000), &all),
            [1],
            "fewer requests of two"
        );
        assert_eq!(
            best(&scorer, &cx(1_002), &all),
            [0, 1, 2],
            "half is not more"
        );
    }

    #[test]
    fn without_a_match_new_prompts_go_where_fewest_went() {
        let fleet = uniform(3);
        let all = candidates(&fleet);
        let scorer = CacheAware::new(CacheAwareParams {
            tree_tokens: 5_000,
            ..CacheAwareParams::default()
        })
        .expect("valid");
        let send = |tokens, at: usize| {
            let cx = cx(tokens);
            let free = best(&scorer, &cx, &all);
            scorer.observe(&RouteEvent::Placed {
                cx: &cx,
                endpoint: all[at].endpoint.id(),
            });
            free
        };
        assert_eq!(send(3_000, 0), [0, 1, 2]);
        assert_eq!(send(2_000, 1), [1, 2]);
        assert_eq!(send(2_500, 2), [2]);
        assert_eq!(send(9_000, 1), [1]);
        assert_eq!(send(9_000, 2), [2]);
        assert_eq!(send(9_000, 0), [0]);
        assert_eq!(send(1, 0), [0, 1, 2], "trees are full");
    }

    #[test]
    fn parameters_that_make_no_sense_are_refused() {
        for json in [r#"{"balance_ratio": 0.9}"#, r#"{"match_threshold": 1.5}"#] {
            CacheAware::new(serde_json::from_str(json).expect("json")).expect_err(json);
        }
    }
}
