//! Input that would make no sense, or no end.

use super::{FleetSpec, ReplayEngine, ReplayError, TraceRequest};
use crate::model::ChipProfile;

/// Virtual time has a resolution: telemetry more often than this would be most of the work.
const SHORTEST_PERIOD_SECONDS: f64 = 0.001;

/// Longest prompt and output, in tokens; sums of both stay inside 32 bits.
const MOST_TOKENS: u32 = 1 << 30;

pub(super) fn check(fleet: &FleetSpec, trace: &[TraceRequest]) -> Result<(), ReplayError> {
    check_fleet(fleet)?;
    if u32::try_from(trace.len()).is_err() || u32::try_from(fleet.engines.len()).is_err() {
        return Err(ReplayError::TooMany);
    }
    for (engine, spec) in (0..).zip(&fleet.engines) {
        let field = |field| ReplayError::Engine { engine, field };
        check_engine(spec).map_err(field)?;
    }
    for (index, request) in trace.iter().enumerate() {
        let field = |field| ReplayError::Request { index, field };
        check_request(request).map_err(field)?;
    }
    Ok(())
}

fn check_fleet(fleet: &FleetSpec) -> Result<(), ReplayError> {
    if fleet.engines.is_empty() {
        return Err(ReplayError::NoEngines);
    }
    let every = fleet.telemetry_every_seconds;
    let is_period = every == 0.0 || (every.is_finite() && every >= SHORTEST_PERIOD_SECONDS);
    let checks = [
        (fleet.block_tokens > 0, "block_tokens"),
        (is_period, "telemetry_every_seconds"),
        // Infinite delays are allowed: nothing arrives.
        (
            fleet.telemetry_delay_seconds >= 0.0,
            "telemetry_delay_seconds",
        ),
        (fleet.kv_delay_seconds >= 0.0, "kv_delay_seconds"),
    ];
    first_wrong(&checks).map_err(ReplayError::Fleet)
}

fn check_engine(spec: &ReplayEngine) -> Result<(), &'static str> {
    let host_gbs = spec.host.map_or(1.0, |host| host.gbs);
    let is_slow_sane = spec.slow.iter().all(|span| {
        span.factor.is_finite() && span.factor > 0.0 && span.from_seconds <= span.to_seconds
    });
    first_wrong(&[
        (spec.kv_blocks > 0, "kv_blocks"),
        (spec.max_sequences > 0, "max_sequences"),
        (spec.batch_tokens > 0, "batch_tokens"),
        (is_amount(spec.kv_bytes_per_token), "kv_bytes_per_token"),
        (is_amount(spec.nic_gbs), "nic_gbs"),
        (is_amount(host_gbs) && host_gbs > 0.0, "host.gbs"),
        (is_slow_sane, "slow"),
        (has_sane_steps(&spec.chip), "chip"),
    ])
}

fn check_request(request: &TraceRequest) -> Result<(), &'static str> {
    let is_count = |tokens: u32| (1..=MOST_TOKENS).contains(&tokens);
    first_wrong(&[
        (is_amount(request.at_seconds), "at_seconds"),
        (is_count(request.input_tokens), "input_tokens"),
        (is_count(request.output_tokens), "output_tokens"),
        (request.ttft_slo_ms >= 0.0, "ttft_slo_ms"),
        (request.tpot_slo_ms >= 0.0, "tpot_slo_ms"),
    ])
}

/// Steps take time, and never forever.
fn has_sane_steps(chip: &ChipProfile) -> bool {
    let constants = [
        chip.prefill_base_ms,
        chip.prefill_ms_per_token,
        chip.attention_ms_per_pair,
        chip.decode_base_ms,
        chip.decode_ms_per_sequence,
        chip.decode_ms_per_context_token,
        chip.host_ms,
    ];
    constants.into_iter().all(is_amount) && chip.decode_base_ms + chip.host_ms >= 0.001
}

fn is_amount(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

fn first_wrong(checks: &[(bool, &'static str)]) -> Result<(), &'static str> {
    checks
        .iter()
        .find(|(is_right, _)| !is_right)
        .map_or(Ok(()), |(_, field)| Err(field))
}
