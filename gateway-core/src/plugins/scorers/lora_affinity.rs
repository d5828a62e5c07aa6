//! `lora-affinity`: the endpoint computes for the LoRA adapter now, or has it already.

use serde::Deserialize;

use super::NEUTRAL;
use crate::{
    RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
    plugins::params::ensure,
};

/// Parameters of [`LoraAffinity`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoraAffinityParams {
    /// Adapters that one engine holds at once (vLLM: `--max-loras`). Default: what the engine says itself, else unknown.
    pub slots: Option<u32>,
}

/// Scores 1 where the endpoint computes for the request's adapter now, or has it and does not say for whom it computes;
/// 0.75 where it has it and does not; 0.5 where it has fewer adapters than `slots` and could load it without dropping
/// another; 0 otherwise, and where as many other adapters as there are places run already. A request without an adapter
/// makes all equal (0.5).
///
/// Use it where engines load adapters while they run, in place of the filter `serves-adapter`, which keeps an adapter where
/// it is for as long as anybody has it: by score it spreads to others when those are better otherwise.
///
/// llm-d's LoRA scorer ranks in similar steps.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoraAffinity {
    params: LoraAffinityParams,
}

impl LoraAffinity {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where engines are said to have no slot at all.
    pub fn new(params: LoraAffinityParams) -> Result<Self, ParamError> {
        ensure(params.slots != Some(0), "`slots` must be at least 1")?;
        Ok(Self { params })
    }

    fn one(&self, adapter: &str, candidate: &Candidate<'_>) -> f32 {
        let endpoint = candidate.endpoint;
        let adapters = endpoint.state().adapters();
        let slots = self.params.slots.or_else(|| adapters.slots());
        let room = |slots: u32| endpoint.adapter_count() < slots as usize;
        if adapters.is_full_for(adapter) {
            0.0
        } else if endpoint.has_adapter(adapter) {
            match adapters.runs(adapter) {
                Some(false) => 0.75,
                Some(true) | None => 1.0,
            }
        } else if slots.is_some_and(room) {
            0.5
        } else {
            0.0
        }
    }
}

impl Scorer for LoraAffinity {
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        let Some(adapter) = cx.adapter else {
            out.fill(NEUTRAL);
            return;
        };
        for (candidate, score) in candidates.iter().zip(out) {
            *score = self.one(adapter, candidate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec,
        load::AdapterUse,
        plugins::testing::{candidates, cx, fleet, scores},
    };

    fn scored(slots: Option<u32>, cx: &RouteCx<'_>) -> Vec<f32> {
        let scorer = LoraAffinity::new(LoraAffinityParams { slots }).expect("valid");
        let fleet = fleet([
            EndpointSpec::new("has").adapter("sql").adapter("law"),
            EndpointSpec::new("room").adapter("law"),
            EndpointSpec::new("full").adapter("law").adapter("chess"),
        ]);
        scores(&scorer, cx, &candidates(&fleet))
    }

    #[test]
    fn having_it_beats_having_room_beats_being_full() {
        assert_eq!(scored(Some(2), &cx(1).adapter("sql")), [1.0, 0.5, 0.0]);
        assert_eq!(scored(None, &cx(1).adapter("sql")), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn computing_for_it_now_beats_having_it_and_being_full_is_worst() {
        let scorer = LoraAffinity::default();
        let names = ["runs", "has", "full", "room"];
        let specs = names.map(|name| EndpointSpec::new(name).adapter("sql"));
        let [runs, has, full, _] = specs;
        let fleet = fleet([runs, has, full, EndpointSpec::new("room")]);
        let running = [&["sql", "law"][..], &["law"], &["law", "chess"], &[]];
        for (endpoint, names) in fleet.endpoints().iter().zip(running) {
            let usage = AdapterUse {
                slots: Some(2),
                running: names.iter().map(|name| (*name).to_owned()).collect(),
                ..AdapterUse::default()
            };
            endpoint.state().adapters().used(Some(usage));
        }
        let scored = scores(&scorer, &cx(1).adapter("sql"), &candidates(&fleet));
        assert_eq!(scored, [1.0, 0.75, 0.0, 0.5]);
    }

    #[test]
    fn without_an_adapter_all_are_equal() {
        assert_eq!(scored(Some(2), &cx(1)), [0.5, 0.5, 0.5]);
    }

    #[test]
    fn an_engine_without_slots_is_refused() {
        LoraAffinity::new(LoraAffinityParams { slots: Some(0) }).expect_err("no slot");
    }
}
