//! `preble-e2`: exploit a long match, explore otherwise.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Deserialize;

use super::{
    considered::Considered,
    cost::{by_ratio, by_ratio_preferring},
    recent_work::RecentWork,
};
use crate::{
    EndpointId, RouteCx,
    latency::Forecast,
    pipeline::ParamError,
    plugin::{Candidate, Observer, RouteEvent, Scorer},
    plugins::params::ensure,
};

/// Parameters of [`PrebleE2`].
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrebleE2Params {
    /// How far back work assigned counts, in milliseconds, up to a day. Default: 180000.
    pub window_ms: u64,
    /// How many times the work of the least burdened endpoint the most burdened one may have before it loses its matches;
    /// at least 1. Default: 1.5.
    pub rebalance_ratio: f64,
}

impl Default for PrebleE2Params {
    fn default() -> Self {
        Self {
            window_ms: 180_000,
            rebalance_ratio: 1.5,
        }
    }
}

const DAY_MS: u64 = 86_400_000;

/// Chooses the least cost, in predicted milliseconds; where more of the prompt is cached somewhere than is not, only among
/// those who have the longest match (exploit), else among all (explore).
///
/// The cost is the work assigned within the window (prompts without their cached part, and each output token's share of
/// decode steps), plus this prompt's own time, plus what it evicts. An exploited endpoint that has the most work of all, and
/// more than `rebalance_ratio` times the least, gives the request to the one that has least.
///
/// Use it where long prefixes are shared by many (tools, documents). Work counts as assigned although it may be done long
/// since, so a fleet at rest still spreads by history.
///
/// Preble (ICLR 2025), the global scheduler alone. What a prompt evicts cannot be seen from a router: its own prompt time,
/// times the share of KV cache that active requests leave no room in, stands for it. Decode work is the predicted step time
/// that a sequence adds, not a profile. Neither replication of hot prefixes nor the fair queue per engine is here.
#[derive(Debug)]
pub struct PrebleE2 {
    params: PrebleE2Params,
    learned: Mutex<Learned>,
}

#[derive(Debug)]
struct Learned {
    considered: Considered,
    /// In milliseconds.
    assigned: RecentWork,
}

/// What is known of one candidate.
#[derive(Clone, Copy, Debug)]
struct Prospect {
    endpoint: EndpointId,
    assigned_ms: f64,
    cost_ms: f64,
}

impl PrebleE2 {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where the window is 0 or longer than a day, or the ratio is below 1.
    pub fn new(params: PrebleE2Params) -> Result<Self, ParamError> {
        ensure(
            (1..=DAY_MS).contains(&params.window_ms),
            "`window_ms` must be from 1 to 86400000 milliseconds",
        )?;
        ensure(
            params.rebalance_ratio.is_finite() && params.rebalance_ratio >= 1.0,
            "`rebalance_ratio` must be a number of at least 1",
        )?;
        let window = Duration::from_millis(params.window_ms);
        Ok(Self {
            params,
            learned: Mutex::new(Learned {
                considered: Considered::default(),
                assigned: RecentWork::new(window),
            }),
        })
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The candidates' costs, in their order. What the request would add to each is remembered until it is placed.
    fn prospects(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>]) -> Vec<Prospect> {
        let mut learned = self.learned();
        let mut works = Vec::with_capacity(candidates.len());
        let prospect = |candidate: &Candidate<'_>| {
            let forecast = candidate.forecast(cx);
            works.push(work_ms(&forecast));
            let endpoint = candidate.endpoint.id();
            let assigned_ms = learned.assigned.of(endpoint, cx.now);
            let eviction_ms = forecast.prefill_ms * forecast.occupancy.clamp(0.0, 1.0);
            Prospect {
                endpoint,
                assigned_ms,
                cost_ms: assigned_ms + eviction_ms + forecast.prefill_ms,
            }
        };
        let prospects = candidates.iter().map(prospect).collect();
        let mut works = works.into_iter();
        learned
            .considered
            .remember(cx, candidates, |_| works.next().unwrap_or(0.0));
        prospects
    }

    /// Whoever takes over from `chosen` where that has far more work than others.
    fn relief(&self, chosen: &Prospect, all: &[Prospect]) -> Option<EndpointId> {
        let by_work = |a: &&Prospect, b: &&Prospect| a.assigned_ms.total_cmp(&b.assigned_ms);
        let heaviest = all.iter().max_by(by_work)?;
        let lightest = all.iter().min_by(by_work)?;
        let is_far = heaviest.assigned_ms > self.params.rebalance_ratio * lightest.assigned_ms;
        (is_far && chosen.assigned_ms >= heaviest.assigned_ms).then_some(lightest.endpoint)
    }
}

impl Default for PrebleE2 {
    fn default() -> Self {
        Self::new(PrebleE2Params::default()).expect("the defaults are sound")
    }
}

/// What the request adds to the work assigned, in milliseconds.
fn work_ms(forecast: &Forecast) -> f64 {
    forecast.prefill_ms + forecast.output_tokens * forecast.added_ms
}

impl Scorer for PrebleE2 {
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        let all = self.prospects(cx, candidates);
        let matches = candidates.iter().map(|c| c.cached_tokens);
        let most = matches.max().unwrap_or(0).min(cx.prompt_tokens);
        let mut costs = all.iter().map(|one| one.cost_ms);
        if most <= cx.prompt_tokens - most {
            return by_ratio(candidates, out, |_| costs.next().unwrap_or(f64::MAX));
        }
        let holds_most = |candidate: &Candidate<'_>| candidate.cached_tokens >= most;
        let holders = candidates.iter().zip(&all);
        let cheapest = holders
            .filter(|(candidate, _)| holds_most(candidate))
            .map(|(_, one)| one)
            .min_by(|a, b| a.cost_ms.total_cmp(&b.cost_ms));
        let relief = cheapest.and_then(|chosen| self.relief(chosen, &all));
        let is_preferred = |candidate: &Candidate<'_>| match relief {
            Some(relief) => candidate.endpoint.id() == relief,
            None => holds_most(candidate),
        };
        by_ratio_preferring(candidates, out, is_preferred, |_| {
            costs.next().unwrap_or(f64::MAX)
        });
    }
}

impl Observer for PrebleE2 {
    fn observe(&self, event: &RouteEvent<'_>) {
        if let RouteEvent::Placed { cx, endpoint } = event {
            let mut learned = self.learned();
            let work_ms = learned.considered.chosen(cx, *endpoint);
            learned.assigned.add(*endpoint, work_ms, cx.now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Timestamp,
        plugins::testing::{NOW, candidates, cx, scores, uniform},
    };

    fn best(scorer: &PrebleE2, cx: &RouteCx<'_>, all: &[Candidate<'_>]) -> Vec<usize> {
        let scores = scores(scorer, cx, all);
        (0..all.len()).filter(|&at| scores[at] == 1.0).collect()
    }

    fn send(scorer: &PrebleE2, cx: &RouteCx<'_>, all: &[Candidate<'_>], at: usize) {
        scores(scorer, cx, all);
        scorer.observe(&RouteEvent::Placed {
            cx,
            endpoint: all[at].endpoint.id(),
        });
    }

    #[test]
    fn explores_by_the_work_assigned_within_the_window() {
        let fleet = uniform(3);
        let all = candidates(&fleet);
        let scorer = PrebleE2::default();
        let mut cx = cx(4_000);
        for at in 0..3 {
            send(&scorer, &cx, &all, at);
        }
        send(&scorer, &cx, &all, 0);
        send(&scorer, &cx, &all, 2);
        assert_eq!(best(&scorer, &cx, &all), [1]);
        cx.now = Timestamp::from_millis(200_000);
        assert_eq!(best(&scorer, &cx, &all), [0, 1, 2], "three minutes later");
    }

    #[test]
    fn exploits_a_match_that_is_longer_than_the_rest_until_its_holder_has_too_much() {
        let fleet = uniform(3);
        let mut all = candidates(&fleet);
        let scorer = PrebleE2::default();
        let long = cx(16_000);
        for at in [0, 0, 0, 1, 1, 1, 2, 2, 2, 1] {
            send(&scorer, &long, &all, at);
        }
        all[1].cached_tokens = 2_000;
        assert_eq!(best(&scorer, &cx(3_999), &all), [1], "4 : 3 is bearable");
        let elsewhere = best(&scorer, &cx(4_000), &all);
        assert_eq!(elsewhere, [0, 2], "half is not longer than the rest");
        send(&scorer, &long, &all, 1);
        let relieved = best(&scorer, &cx(3_999), &all);
        assert!(relieved == [0] || relieved == [2], "{relieved:?}");
    }

    #[test]
    fn a_choice_without_a_decision_is_no_trouble() {
        let fleet = uniform(2);
        let all = candidates(&fleet);
        let scorer = PrebleE2::default();
        scorer.observe(&RouteEvent::Placed {
            cx: &cx(5),
            endpoint: all[0].endpoint.id(),
        });
        assert_eq!(scorer.learned().assigned.of(all[0].endpoint.id(), NOW), 0.0);
    }

    #[test]
    fn parameters_that_make_no_sense_are_refused() {
        for json in [
            r#"{"window_ms": 0}"#,
            r#"{"window_ms": 86400001}"#,
            r#"{"rebalance_ratio": 0.5}"#,
        ] {
            PrebleE2::new(serde_json::from_str(json).expect("json")).expect_err(json);
        }
    }
}
