//! What the plug-ins' tests share: candidates to judge.

use crate::{
    EndpointSpec, Fleet, RouteCx, Timestamp,
    load::{Booking, Demand, Freshness, Load},
    plugin::{Candidate, Scorer},
};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1);

pub(crate) const IDLE: Load = Load {
    requests: 0,
    waiting: 0,
    queued_tokens: 0,
    context_tokens: 0,
    kv_used: None,
    telemetry: Freshness::Missing,
};

/// A request for `tokens` prompt tokens.
pub(crate) fn cx(tokens: u32) -> RouteCx<'static> {
    RouteCx::new("m", NOW).prompt(tokens, &[], 16)
}

pub(crate) fn fleet(specs: impl IntoIterator<Item = EndpointSpec>) -> Fleet {
    Fleet::new(specs).expect("a valid fleet")
}

/// Endpoints `e0`, `e1`, ... that serve model `m`.
pub(crate) fn uniform(count: usize) -> Fleet {
    fleet((0..count).map(|n| EndpointSpec::new(format!("e{n}")).model("m")))
}

/// Every endpoint of the fleet: idle, up, holding nothing.
pub(crate) fn candidates(fleet: &Fleet) -> Vec<Candidate<'_>> {
    let candidate = |endpoint| Candidate {
        endpoint,
        availability: crate::health::Availability::Up,
        load: IDLE,
        cached: crate::residency::Cached::default(),
        cached_tokens: 0,
        loaded_tokens: 0,
    };
    fleet.endpoints().iter().map(candidate).collect()
}

/// The scorer's word on each candidate.
pub(crate) fn scores(scorer: &dyn Scorer, cx: &RouteCx<'_>, all: &[Candidate<'_>]) -> Vec<f32> {
    let mut out = vec![f32::NAN; all.len()];
    scorer.score(cx, all, &mut out);
    out
}

/// Prompts of so many tokens that wait on the endpoint of that index, for as long as the result is kept.
pub(crate) fn booked(fleet: &Fleet, at: usize, prompts: &[u32]) -> Vec<Booking> {
    let demand = |&tokens: &u32| Demand {
        prompt_tokens: tokens,
        ..Demand::default()
    };
    let state = fleet.endpoints()[at].state();
    prompts
        .iter()
        .map(|tokens| state.book(&demand(tokens), NOW))
        .collect()
}
