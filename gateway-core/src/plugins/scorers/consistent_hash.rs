//! `consistent-hash`: prompts that begin alike go the same way, within a load bound.

use serde::Deserialize;

use super::{
    NEUTRAL,
    rendezvous::{bounded_home, prefix_key, sound_factor},
};
use crate::{
    RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
    plugins::params::ensure,
};

/// Parameters of [`ConsistentHash`].
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsistentHashParams {
    /// How many leading prompt tokens make the key, in whole blocks of the request's hashes, at least one. Default: 256.
    pub depth_tokens: u32,
    /// How many times the mean number of requests an endpoint may have and still be home; at least 1. Default: 1.25.
    pub load_factor: f32,
}

impl Default for ConsistentHashParams {
    fn default() -> Self {
        Self {
            depth_tokens: 256,
            load_factor: 1.25,
        }
    }
}

/// Scores 1 for the home of the prompt's beginning, below 0.5 for endpoints with room, and 0 for those without.
///
/// Home is found by rendezvous hashing over endpoint names among endpoints whose requests, with this one, stay within
/// `load_factor` times the mean, rounded up. A prompt shorter than `depth_tokens` is keyed on all its blocks; one without
/// block hashes on its session; without that too all are equal (0.5).
///
/// Use it where nothing is known of the engines' caches: it needs no index and no events, and gateways agree without
/// talking. Choose a depth beyond a system prompt that all requests share, or they all have one home. Where the index is
/// fed, `prefix-affinity` and `latency` know more. The bound is a guarantee only with this scorer alone and the picker
/// `best`.
///
/// SMG's `prefix_hash` with its depth and load factor; there the key walks a ring of virtual nodes. Bounded loads: Mirrokni,
/// Thorup and Zadimoghaddam (2016).
#[derive(Clone, Copy, Debug, Default)]
pub struct ConsistentHash {
    params: ConsistentHashParams,
}

impl ConsistentHash {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where the load factor is below 1 or no number, or the depth is 0.
    pub fn new(params: ConsistentHashParams) -> Result<Self, ParamError> {
        sound_factor(params.load_factor)?;
        ensure(params.depth_tokens > 0, "`depth_tokens` must be at least 1")?;
        Ok(Self { params })
    }
}

impl Scorer for ConsistentHash {
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        match prefix_key(cx, self.params.depth_tokens).or(cx.session) {
            Some(key) => bounded_home(key, self.params.load_factor, candidates, out),
            None => out.fill(NEUTRAL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        BlockHash,
        plugins::testing::{NOW, candidates, cx, scores, uniform},
    };

    fn home(blocks: &[u64], all: &[Candidate<'_>]) -> usize {
        let blocks: Vec<_> = blocks.iter().copied().map(BlockHash).collect();
        let cx = RouteCx::new("m", NOW).prompt(1_000, &blocks, 128);
        let scores = scores(&ConsistentHash::default(), &cx, all);
        assert_eq!(scores.iter().filter(|&&score| score == 1.0).count(), 1);
        (0..all.len()).find(|&at| scores[at] == 1.0).expect("home")
    }

    #[test]
    fn the_key_is_the_beginning_alone() {
        let fleet = uniform(8);
        let all = candidates(&fleet);
        // 256 tokens are two blocks of 128, and the second one's hash covers the first.
        assert_eq!(home(&[1, 2, 3], &all), home(&[1, 2, 4, 5], &all));
        let homes: std::collections::BTreeSet<_> =
            (0..50).map(|second| home(&[1, second], &all)).collect();
        assert_eq!(homes.len(), 8, "a common first block alone is no key");
        assert_eq!(
            home(&[7], &all),
            home(&[7], &all),
            "short ones have one too"
        );
    }

    #[test]
    fn an_overloaded_home_hands_over() {
        let fleet = uniform(4);
        let mut all = candidates(&fleet);
        let first = home(&[1, 2], &all);
        all[first].load.requests = 9;
        assert_ne!(home(&[1, 2], &all), first);
    }

    #[test]
    fn without_hashes_the_session_is_the_key_and_else_nothing() {
        let fleet = uniform(4);
        let all = candidates(&fleet);
        let scorer = ConsistentHash::default();
        assert_eq!(scores(&scorer, &cx(9), &all), [0.5; 4]);
        assert!(scores(&scorer, &cx(9).session(3), &all).contains(&1.0));
    }

    #[test]
    fn parameters_that_make_no_sense_are_refused() {
        for json in [r#"{"depth_tokens": 0}"#, r#"{"load_factor": 0.9}"#] {
            ConsistentHash::new(serde_json::from_str(json).expect("json")).expect_err(json);
        }
    }
}
