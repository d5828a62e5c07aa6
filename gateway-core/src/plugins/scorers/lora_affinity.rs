//! `lora-affinity`: the endpoint has the LoRA adapter already.

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
    /// Adapters that one engine holds at once (vLLM: `--max-loras`). Default: unknown.
    pub slots: Option<u32>,
}

/// Scores 1 where the endpoint has the request's adapter, 0.5 where it has fewer adapters than `slots` and could load
/// it without dropping another, 0 otherwise. A request without an adapter makes all equal (0.5).
///
/// Use it where engines load adapters while they run, in place of the filter `serves-adapter`, which keeps an adapter where
/// it is for as long as anybody has it: by score it spreads to others when those are better otherwise.
///
/// llm-d's LoRA scorer ranks in the same three steps.
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
        let room = |slots: u32| candidate.endpoint.adapter_count() < slots as usize;
        if candidate.endpoint.has_adapter(adapter) {
            1.0
        } else if self.params.slots.is_some_and(room) {
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
    fn without_an_adapter_all_are_equal() {
        assert_eq!(scored(Some(2), &cx(1)), [0.5, 0.5, 0.5]);
    }

    #[test]
    fn an_engine_without_slots_is_refused() {
        LoraAffinity::new(LoraAffinityParams { slots: Some(0) }).expect_err("no slot");
    }
}
