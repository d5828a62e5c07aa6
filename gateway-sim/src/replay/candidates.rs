//! Which engines a request may go to.

use gateway_core::decider::{Ask, EngineNumber, Phase, RoleName};

use super::{FleetSpec, TraceRequest};

/// What every ask of a fleet has in common.
#[derive(Debug)]
pub(super) struct Candidates {
    phase: Phase,
    whole_or_prefill: Vec<EngineNumber>,
    decode: Option<Vec<EngineNumber>>,
}

impl Candidates {
    /// One engine is wanted where all do everything, else a pair.
    pub(super) fn of(fleet: &FleetSpec) -> Self {
        let with = |role: RoleName| -> Vec<EngineNumber> {
            (0..)
                .zip(&fleet.engines)
                .filter(|(_, engine)| engine.role == role || engine.role == RoleName::Both)
                .map(|(number, _)| number)
                .collect()
        };
        let is_split = fleet
            .engines
            .iter()
            .any(|engine| engine.role != RoleName::Both);
        Self {
            phase: if is_split {
                Phase::Prefill
            } else {
                Phase::Both
            },
            whole_or_prefill: with(RoleName::Prefill),
            decode: is_split.then(|| with(RoleName::Decode)),
        }
    }

    pub(super) fn ask(&self, request: u32, traced: &TraceRequest, now: f64) -> Ask {
        Ask {
            id: u64::from(request),
            now,
            input: traced.input_tokens,
            hashes: traced.blocks.to_vec(),
            phase: self.phase,
            ttft_slo_ms: Some(traced.ttft_slo_ms),
            tpot_slo_ms: Some(traced.tpot_slo_ms),
            cands: Some(self.whole_or_prefill.clone()),
            decode_cands: self.decode.clone(),
        }
    }
}
