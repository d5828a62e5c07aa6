//! `token-load`: less prompt work ahead, against a fixed budget.

use serde::Deserialize;

use crate::{
    RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
    plugins::params::ensure,
};

/// Parameters of [`TokenLoad`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenLoadParams {
    /// The work that scores 0, in prompt tokens. Default: 4194304.
    pub budget_tokens: u32,
}

impl Default for TokenLoadParams {
    fn default() -> Self {
        Self {
            budget_tokens: 4_194_304,
        }
    }
}

/// Scores 1 - min(work, budget) / budget, where work is the prompt tokens queued at the endpoint plus those of this request
/// that it would have to compute.
///
/// Use it as the load part of a policy written for llm-d: its scores mean the same there. At the default budget they differ
/// little (a thousand tokens are 0.0002), so beside other scorers it only breaks ties; `least-queued-tokens` weighs the same
/// work by ratio.
///
/// llm-d's token-load scorer; there a request's tokens count until it ends, here until its first token.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenLoad {
    params: TokenLoadParams,
}

impl TokenLoad {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where the budget is 0.
    pub fn new(params: TokenLoadParams) -> Result<Self, ParamError> {
        ensure(
            params.budget_tokens > 0,
            "`budget_tokens` must be at least 1",
        )?;
        Ok(Self { params })
    }
}

/// Prompt tokens queued at the candidate, with those of this request.
pub(super) fn work_tokens(cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> f64 {
    candidate.load.queued_tokens as f64 + f64::from(candidate.uncached_tokens(cx))
}

impl Scorer for TokenLoad {
    fn samples(&self) -> bool {
        true
    }

    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        let budget = f64::from(self.params.budget_tokens);
        for (candidate, score) in candidates.iter().zip(out) {
            *score = (1.0 - work_tokens(cx, candidate).min(budget) / budget) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, scores, uniform};

    #[test]
    fn falls_evenly_down_to_nothing() {
        let fleet = uniform(4);
        let mut all = candidates(&fleet);
        all[0].cached_tokens = 1_000;
        all[2].load.queued_tokens = 1_000;
        all[3].load.queued_tokens = u64::MAX;
        let params = TokenLoadParams {
            budget_tokens: 4_000,
        };
        let scorer = TokenLoad::new(params).expect("valid");
        assert_eq!(scores(&scorer, &cx(1_000), &all), [1.0, 0.75, 0.5, 0.0]);
        TokenLoad::new(TokenLoadParams { budget_tokens: 0 }).expect_err("no budget");
    }

    #[test]
    fn a_single_token_still_counts() {
        let fleet = uniform(2);
        let mut all = candidates(&fleet);
        all[1].load.queued_tokens = 1;
        let scored = scores(&TokenLoad::default(), &cx(100_000), &all);
        assert!(scored[0] > scored[1]);
    }
}
