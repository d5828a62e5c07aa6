//! What the `latency` policy makes of nodes that are slow without saying so, and of telemetry that comes late; in virtual
//! time.

use std::f64::consts::TAU;

use gateway_core::{
    Pipelines, Registry,
    decider::{Decider, RoleName},
    pipeline::{ModelPipelines, preset},
};
use gateway_sim::{
    model::ChipProfile,
    replay::{FleetSpec, ReplayEngine, ReplayRecord, ReplayReport, SlowSpan, TraceRequest, replay},
};

const ENGINES: usize = 4;

fn policy(name: &str) -> Decider {
    let spec = preset(name).expect("a preset");
    let pipelines = ModelPipelines::build(&Registry::builtin(), &spec).expect("it builds");
    Decider::new(Pipelines::new(pipelines), "m", 1)
}

fn fleet(slow: Vec<SlowSpan>, telemetry_delay_seconds: f64) -> FleetSpec {
    let chip = ChipProfile::named("8b-h100").expect("a known profile");
    let engine = ReplayEngine {
        class: "h100".to_owned(),
        role: RoleName::Both,
        chip,
        kv_blocks: chip.kv_tokens / 512,
        host: None,
        max_sequences: 256,
        batch_tokens: chip.batch_tokens,
        kv_bytes_per_token: 131_072.0,
        nic_gbs: 50.0,
        tflops: 989.0,
        hbm_gbs: 3_350.0,
        slow: Vec::new(),
    };
    let mut engines = vec![engine; ENGINES];
    engines[0].slow = slow;
    FleetSpec {
        block_tokens: 512,
        engines,
        telemetry_every_seconds: 1.0,
        telemetry_delay_seconds,
        kv_delay_seconds: 0.05,
        nameplates: true,
    }
}

/// Prompts of 2,000 to 6,000 tokens that share nothing, at a rate that swings.
fn trace(requests: u32, per_second: f64) -> Vec<TraceRequest> {
    let mut at_seconds = 0.0;
    let request = |n: u32| {
        let rate = per_second * (1.0 + 0.5 * (TAU * f64::from(n) / 150.0).sin());
        // Steps of the golden ratio: spread like chance, the same each time.
        let share = (f64::from(n) * 0.618_034).fract();
        at_seconds += (0.5 + share) / rate;
        let input_tokens = 2_000 + (4_000.0 * share) as u32;
        TraceRequest {
            at_seconds,
            input_tokens,
            output_tokens: 80 + (n * 37) % 160,
            blocks: (0..input_tokens.div_ceil(512))
                .map(|block| u64::from(n * 100 + block))
                .collect(),
            ttft_slo_ms: 500.0,
            tpot_slo_ms: 30.0,
        }
    };
    (0..requests).map(request).collect()
}

fn run(fleet: &FleetSpec, trace: &[TraceRequest], policy_name: &str) -> ReplayReport {
    let report = replay(fleet, trace, &mut policy(policy_name), &mut |_| ()).expect("it plays");
    assert_eq!(report.rejected(), 0);
    report
}

/// The share of these requests that went to the first engine.
fn share_of_first(records: &[ReplayRecord]) -> f64 {
    let to_first = records.iter().filter(|record| record.engine == Some(0));
    to_first.count() as f64 / records.len() as f64
}

#[test]
fn a_node_that_turns_slow_gets_fewer_requests_within_tens_of_them() {
    let trace = trace(700, 20.0);
    let turns = 300;
    let slow = SlowSpan {
        from_seconds: trace[turns].at_seconds,
        to_seconds: f64::INFINITY,
        factor: 2.0,
    };
    let records = run(&fleet(vec![slow], 0.05), &trace, "latency").records;
    let before = share_of_first(&records[50..turns]);
    let soon = share_of_first(&records[turns + 60..turns + 160]);
    let later = share_of_first(&records[turns + 160..]);
    assert!((0.2..0.3).contains(&before), "{before}");
    assert!(soon < 0.2, "soon {soon}, before {before}");
    assert!(later < 0.2, "later {later}, before {before}");
}

#[test]
fn a_node_that_recovers_is_used_again() {
    let trace = trace(1_500, 20.0);
    let slow = SlowSpan {
        from_seconds: trace[200].at_seconds,
        to_seconds: trace[600].at_seconds,
        factor: 2.0,
    };
    let records = run(&fleet(vec![slow], 0.05), &trace, "latency").records;
    let later = share_of_first(&records[1_000..]);
    assert!((0.2..0.3).contains(&later), "{later}");
}

#[test]
fn telemetry_that_is_five_seconds_old_costs_nothing() {
    for per_second in [20.0, 24.0, 28.0] {
        let trace = trace(900, per_second);
        let goodput =
            |delay_seconds| run(&fleet(Vec::new(), delay_seconds), &trace, "latency").goodput();
        let (fresh, stale) = (goodput(0.05), goodput(5.0));
        assert!(stale >= fresh - 0.01, "{fresh} fresh, {stale} stale");
    }
}
