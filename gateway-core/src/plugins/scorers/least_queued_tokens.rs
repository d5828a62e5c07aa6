//! `least-queued-tokens`: less prompt work ahead, better score.

use serde::Deserialize;

use crate::{
    RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
    plugins::params::ensure,
};

/// Parameters of [`LeastQueuedTokens`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeastQueuedTokensParams {
    /// The work beside which differences count as small, in prompt tokens. Default: 8192.
    pub scale_tokens: u32,
}

impl Default for LeastQueuedTokensParams {
    fn default() -> Self {
        Self {
            scale_tokens: 8_192,
        }
    }
}

/// Scores (scale + least work of any candidate) / (scale + work of this one), where work is the prompt tokens queued at the
/// endpoint plus those of this request that it would have to compute.
///
/// Use it where prompts differ in length: ten short ones weigh less than one long one. It follows the time to the first
/// token, so it also rewards a cached prefix, by what it saves and not by its share. Set the scale near what an engine
/// prefills in the time that matters to you: 8192 tokens are about a second on a mid-size chip. It sees this router's own
/// requests only; with several routers in front of the same engines keep `least-requests` beside it.
///
/// The prompt tokens in flight are the measure of join-the-least-work and the first factor of `LMetric` and of vLLM
/// Router's `kv_aware`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastQueuedTokens {
    params: LeastQueuedTokensParams,
}

impl LeastQueuedTokens {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where the scale is 0.
    pub fn new(params: LeastQueuedTokensParams) -> Result<Self, ParamError> {
        ensure(params.scale_tokens > 0, "`scale_tokens` must be at least 1")?;
        Ok(Self { params })
    }
}

impl Scorer for LeastQueuedTokens {
    fn samples(&self) -> bool {
        true
    }

    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        let scale = self.params.scale_tokens as f32;
        let least = candidates.iter().map(|candidate| work(cx, candidate)).min();
        let best = scale + least.unwrap_or(0) as f32;
        for (candidate, score) in candidates.iter().zip(out) {
            *score = best / (scale + work(cx, candidate) as f32);
        }
    }
}

fn work(cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> u64 {
    let own = u64::from(candidate.uncached_tokens(cx));
    candidate.load.queued_tokens.saturating_add(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, scores, uniform};

    #[test]
    fn counts_the_queue_and_what_is_not_cached() {
        let fleet = uniform(4);
        let mut all = candidates(&fleet);
        all[0].cached_tokens = 1_000;
        all[2].load.queued_tokens = 2_000;
        all[3].load.queued_tokens = u64::MAX;
        let scorer = LeastQueuedTokens::new(LeastQueuedTokensParams {
            scale_tokens: 1_000,
        })
        .expect("valid");
        let scored = scores(&scorer, &cx(1_000), &all);
        assert_eq!(scored[..3], [1.0, 0.5, 0.25]);
        assert!(scored[3] >= 0.0 && scored[3] < 1e-9, "no overflow");
    }

    #[test]
    fn a_scale_of_nothing_is_refused() {
        LeastQueuedTokens::new(LeastQueuedTokensParams { scale_tokens: 0 }).expect_err("no scale");
        assert!(serde_json::from_str::<LeastQueuedTokensParams>(r#"{"scale": 1}"#).is_err());
    }
}
