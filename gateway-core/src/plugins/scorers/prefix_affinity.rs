//! `prefix-affinity`: more of the prompt in the endpoint's KV cache, better score.

use serde::Deserialize;

use crate::{
    RouteCx,
    plugin::{Candidate, Scorer},
};

/// What a match is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalise {
    /// The prompt: half of it cached is 0.5, whoever else has more.
    #[default]
    Prompt,
    /// The longest match of any candidate: whoever has most scores 1, however little that is.
    Longest,
}

/// Parameters of [`PrefixAffinity`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrefixAffinityParams {
    /// Matches shorter than this many tokens count as none. Default: 0.
    pub min_tokens: u32,
    /// `prompt` or `longest`: what a match is measured against. Default: `prompt`.
    pub normalise: Normalise,
}

/// Scores cached / prompt tokens, or cached tokens / those of the longest match; 0 where either is unknown.
///
/// Use it wherever prompts share beginnings: conversations, agents, one system prompt. It needs block hashes in the request
/// and a prefix index that is fed, by engines' events or by the router's own choices. Alone it would send everything that
/// shares a system prompt to one endpoint: give it company that looks at load, with a comparable weight.
/// `min_tokens` keeps a short common beginning from counting at all.
///
/// Normalised by the longest match, a short common beginning weighs as much as a whole conversation: for policies that are
/// written so.
///
/// The same ratio is used by llm-d's prefix scorer and, against a threshold, by SGLang's cache-aware router; Moreh's scorer
/// has both measures and a logistic transform on top.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrefixAffinity {
    params: PrefixAffinityParams,
}

impl PrefixAffinity {
    /// The scorer with its parameters.
    #[must_use]
    pub fn new(params: PrefixAffinityParams) -> Self {
        Self { params }
    }
}

impl Scorer for PrefixAffinity {
    fn samples(&self) -> bool {
        true
    }

    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        let counted = |candidate: &Candidate<'_>| {
            let cached = candidate.cached_tokens.min(cx.prompt_tokens);
            if cached < self.params.min_tokens {
                0
            } else {
                cached
            }
        };
        let whole = match self.params.normalise {
            Normalise::Prompt => cx.prompt_tokens,
            Normalise::Longest => candidates.iter().map(counted).max().unwrap_or(0),
        };
        for (candidate, score) in candidates.iter().zip(out) {
            *score = counted(candidate) as f32 / whole.max(1) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, scores, uniform};

    fn scored(params: PrefixAffinityParams, prompt: u32, cached: [u32; 3]) -> Vec<f32> {
        let fleet = uniform(3);
        let mut all = candidates(&fleet);
        all.iter_mut()
            .zip(cached)
            .for_each(|(c, tokens)| c.cached_tokens = tokens);
        scores(&PrefixAffinity::new(params), &cx(prompt), &all)
    }

    #[test]
    fn is_the_share_of_the_prompt_that_is_cached() {
        let all = PrefixAffinityParams::default();
        assert_eq!(scored(all, 1_000, [0, 250, 1_000]), [0.0, 0.25, 1.0]);
        assert_eq!(
            scored(all, 0, [0, 0, 7]),
            [0.0, 0.0, 0.0],
            "an unknown length has no share"
        );
        assert_eq!(
            scored(all, 10, [0, 5, 999]),
            [0.0, 0.5, 1.0],
            "never more than all of it"
        );
    }

    #[test]
    fn short_matches_may_count_as_none() {
        assert_eq!(
            scored(
                PrefixAffinityParams {
                    min_tokens: 256,
                    ..PrefixAffinityParams::default()
                },
                1_000,
                [255, 256, 500]
            ),
            [0.0, 0.256, 0.5]
        );
    }

    #[test]
    fn the_longest_match_may_be_the_measure() {
        let longest = PrefixAffinityParams {
            min_tokens: 50,
            normalise: Normalise::Longest,
        };
        assert_eq!(scored(longest, 1_000, [49, 50, 200]), [0.0, 0.25, 1.0]);
        assert_eq!(scored(longest, 1_000, [0, 0, 0]), [0.0; 3]);
    }
}
