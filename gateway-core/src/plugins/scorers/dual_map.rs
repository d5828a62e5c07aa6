//! `dual-map`: two homes for every beginning of a prompt.

use serde::Deserialize;

use super::{
    NEUTRAL,
    rendezvous::{hash, prefix_key, runner_up},
};
use crate::{
    RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
    plugins::params::ensure,
};

/// Parameters of [`DualMap`].
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DualMapParams {
    /// How many leading prompt tokens make the key, in whole blocks of the request's hashes, at least one. Default: 256.
    pub depth_tokens: u32,
    /// The objective for the time to the first token of requests that bring none, in milliseconds. Default: 2000.
    pub ttft_ms: f64,
}

impl Default for DualMapParams {
    fn default() -> Self {
        Self {
            depth_tokens: 256,
            ttft_ms: 2_000.0,
        }
    }
}

/// Scores 1 for the chosen one of two homes, 0.75 for the other, and below 0.5 for everybody else.
///
/// The homes are the two endpoints with the greatest hashes of the prompt's beginning. Chosen is the one that has more of the
/// prompt cached (of two equals, the sooner one), unless its predicted time to the first token breaks the request's
/// objective: then the one that is predicted sooner.
///
/// Use it where prefixes are hot and must neither pile up nor spread over everybody. A prompt without block hashes goes by
/// its session; without that too all are equal (0.5).
///
/// `DualMap` (ICLR 2026), without its adaptive key depth and its rebalancing of what already waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct DualMap {
    params: DualMapParams,
}

impl DualMap {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where the depth is 0 or the objective is not positive.
    pub fn new(params: DualMapParams) -> Result<Self, ParamError> {
        ensure(params.depth_tokens > 0, "`depth_tokens` must be at least 1")?;
        ensure(
            params.ttft_ms.is_finite() && params.ttft_ms > 0.0,
            "`ttft_ms` must be a positive number of milliseconds",
        )?;
        Ok(Self { params })
    }

    /// Whether the first of two homes is to be chosen.
    fn is_first(&self, cx: &RouteCx<'_>, first: &Candidate<'_>, second: &Candidate<'_>) -> bool {
        let ttft_ms = |home: &Candidate<'_>| home.forecast(cx).ttft_ms;
        let (soon, later) = (ttft_ms(first), ttft_ms(second));
        let objective = cx.objectives.ttft_ms.map_or(self.params.ttft_ms, f64::from);
        let matched = if first.cached_tokens >= second.cached_tokens {
            soon
        } else {
            later
        };
        if first.cached_tokens == second.cached_tokens || matched > objective {
            return soon <= later;
        }
        first.cached_tokens > second.cached_tokens
    }
}

impl Scorer for DualMap {
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        let Some(key) = prefix_key(cx, self.params.depth_tokens).or(cx.session) else {
            out.fill(NEUTRAL);
            return;
        };
        let mut homes = [None; 2];
        for (at, (candidate, score)) in candidates.iter().zip(out.iter_mut()).enumerate() {
            let hash = hash(key, candidate);
            *score = runner_up(hash);
            let home = Some((hash, at));
            if home > homes[0] {
                homes = [home, homes[0]];
            } else if home > homes[1] {
                homes[1] = home;
            }
        }
        match homes {
            [Some((_, first)), Some((_, second))] => {
                let is_first = self.is_first(cx, &candidates[first], &candidates[second]);
                let (chosen, other) = if is_first {
                    (first, second)
                } else {
                    (second, first)
                };
                out[chosen] = 1.0;
                out[other] = 0.75;
            }
            _ => out.fill(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        BlockHash, Objectives,
        plugins::testing::{NOW, booked, candidates, scores, uniform},
    };

    const BLOCKS: [BlockHash; 2] = [BlockHash(5), BlockHash(6)];

    fn request() -> RouteCx<'static> {
        RouteCx::new("m", NOW).prompt(8_000, &BLOCKS, 128)
    }

    fn homes(scored: &[f32]) -> [usize; 2] {
        [1.0, 0.75].map(|score| {
            scored
                .iter()
                .position(|&is| is == score)
                .expect("two homes")
        })
    }

    #[test]
    fn the_better_match_of_two_homes_until_its_objective_breaks() {
        let fleet = uniform(6);
        let mut all = candidates(&fleet);
        let scorer = DualMap::default();
        let [first, second] = homes(&scores(&scorer, &request(), &all));
        all[second].cached_tokens = 4_000;
        assert_eq!(homes(&scores(&scorer, &request(), &all)), [second, first]);
        let _queue = booked(&fleet, second, &[50_000, 50_000]);
        all[second].load.requests = 2;
        assert_eq!(homes(&scores(&scorer, &request(), &all)), [first, second]);
        let patient = request().objectives(Objectives {
            ttft_ms: Some(1e9),
            ..Objectives::default()
        });
        assert_eq!(homes(&scores(&scorer, &patient, &all)), [second, first]);
    }

    #[test]
    fn one_candidate_and_no_key_are_no_trouble() {
        let fleet = uniform(3);
        let all = candidates(&fleet);
        let scorer = DualMap::default();
        assert_eq!(scores(&scorer, &request(), &all[..1]), [1.0]);
        let unknown = RouteCx::new("m", NOW);
        assert_eq!(scores(&scorer, &unknown, &all), [0.5; 3]);
        for json in [r#"{"depth_tokens": 0}"#, r#"{"ttft_ms": 0}"#] {
            DualMap::new(serde_json::from_str(json).expect("json")).expect_err(json);
        }
    }
}
