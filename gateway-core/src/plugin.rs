//! The four small traits that make up a policy. A user's implementation is an equal citizen of the built-in ones.
//!
//! Filters, scorers and pickers run while the fleet is held still for one choice: they must be quick, must not block, and
//! must not place requests themselves.

use std::sync::Arc;

use crate::{
    Endpoint, EndpointId, Rng, RouteCx,
    health::{Availability, Outcome},
    latency::Forecast,
    load::{Demand, Load},
    residency::Cached,
};

/// One endpoint as a plug-in sees it: who it is, how loaded it is, what it already holds.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'f> {
    /// The endpoint.
    pub endpoint: &'f Arc<Endpoint>,
    /// Whether it may be given requests.
    pub availability: Availability,
    /// Its load at the time of the decision.
    pub load: Load,
    /// Leading blocks of the prompt that it is believed to hold, by source and tier.
    pub cached: Cached,
    /// Leading prompt tokens whose KV blocks the endpoint is believed to hold, in any tier.
    pub cached_tokens: u32,
    /// Of those, the last so many lie in a lower tier and have to be loaded.
    pub loaded_tokens: u32,
}

impl Candidate<'_> {
    /// Prompt tokens of this request that the endpoint would have to compute.
    #[must_use]
    pub fn uncached_tokens(&self, cx: &RouteCx<'_>) -> u32 {
        cx.prompt_tokens.saturating_sub(self.cached_tokens)
    }

    /// What this request would ask of the endpoint.
    #[must_use]
    pub fn demand<'a>(&self, cx: &RouteCx<'a>) -> Demand<'a> {
        Demand {
            stage: cx.stage,
            prompt_tokens: cx.prompt_tokens,
            cached_tokens: self.cached_tokens,
            loaded_tokens: self.loaded_tokens,
            output_tokens: cx.expected_tokens.unwrap_or(cx.output_tokens as f32),
            blocks: cx.blocks,
            block_tokens: cx.block_tokens,
            is_silent: cx.is_silent,
        }
    }

    /// What the request would meet there, in predicted times.
    #[must_use]
    pub fn forecast(&self, cx: &RouteCx<'_>) -> Forecast {
        let state = self.endpoint.state();
        state.forecast(&self.demand(cx), &self.load, cx.now)
    }
}

/// Says who must not be chosen.
pub trait Filter: Send + Sync {
    /// Whether `candidate` stays in.
    fn keep(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool;

    /// Whether it rules out for load alone, so that whom it rules out now it may keep in a moment: a request that would be
    /// placed but for such filters may wait for room.
    fn is_about_load(&self) -> bool {
        false
    }
}

/// Says how good each choice would be.
pub trait Scorer: Send + Sync {
    /// Fills `out[i]` with the score of `candidates[i]`, 0 (worst) to 1 (best). Both slices have the same length, at
    /// least one. The pipeline brings values outside the range, NaN included, back into it.
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]);

    /// Whether it is enough to show it a sample of a large fleet: those who hold the most of the prompt and some of the
    /// idlest. Where every scorer of a pipeline says so, a decision costs the same over a hundred endpoints and over
    /// thousands. Not so for scorers that look for one endpoint of their own, such as hashes.
    fn samples(&self) -> bool {
        false
    }
}

/// Makes the choice.
pub trait Picker: Send + Sync {
    /// The index of the chosen candidate. `scores[i]` (0 to 1, higher is better) belongs to `candidates[i]`; both have the
    /// same length, at least one. `None` means that nobody is good enough.
    fn pick(
        &self,
        cx: &RouteCx<'_>,
        candidates: &[Candidate<'_>],
        scores: &[f32],
        rng: &mut Rng,
    ) -> Option<usize>;
}

/// What became of a request, for plug-ins that learn.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RouteEvent<'a> {
    /// An endpoint was chosen and the load booked.
    Placed {
        /// The request.
        cx: &'a RouteCx<'a>,
        /// The chosen endpoint.
        endpoint: EndpointId,
    },
    /// The first token came, so many microseconds after the request was sent.
    FirstToken {
        /// The endpoint that sent it.
        endpoint: EndpointId,
        /// Time since the request was sent to it, in microseconds.
        after_micros: u64,
    },
    /// The request ended.
    Finished {
        /// The endpoint that served it.
        endpoint: EndpointId,
        /// How it ended.
        outcome: Outcome,
        /// Tokens generated, where known.
        output_tokens: Option<u32>,
        /// Time since the request was sent to it, in microseconds.
        after_micros: u64,
    },
}

/// Hears what became of requests. Called on the request's own path, so it must be quick and must not block.
pub trait Observer: Send + Sync {
    /// Takes note of an event.
    fn observe(&self, event: &RouteEvent<'_>);
}

struct FilterFn<F>(F);

impl<F: Fn(&RouteCx<'_>, &Candidate<'_>) -> bool + Send + Sync> Filter for FilterFn<F> {
    fn keep(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        (self.0)(cx, candidate)
    }
}

/// A filter from a closure.
pub fn filter_fn<F>(keep: F) -> impl Filter
where
    F: Fn(&RouteCx<'_>, &Candidate<'_>) -> bool + Send + Sync,
{
    FilterFn(keep)
}

struct ScorerFn<F>(F);

impl<F: Fn(&RouteCx<'_>, &Candidate<'_>) -> f32 + Send + Sync> Scorer for ScorerFn<F> {
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        for (candidate, score) in candidates.iter().zip(out) {
            *score = (self.0)(cx, candidate);
        }
    }
}

/// A scorer from a closure that looks at one candidate at a time.
pub fn scorer_fn<F>(score: F) -> impl Scorer
where
    F: Fn(&RouteCx<'_>, &Candidate<'_>) -> f32 + Send + Sync,
{
    ScorerFn(score)
}
