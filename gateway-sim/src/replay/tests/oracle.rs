//! One engine here and one [`EngineModel`], on the same requests.
//!
//! Both agree wherever they mean the same. They differ in what happens to generated tokens: the model keeps full blocks
//! of them in its prefix cache, here they are gone with their request. So caches are compared under pressure only where
//! prompts are whole blocks and outputs one token, and preemption without prefix caching. And a sequence that computes
//! lost tokens again in chunks decodes its last one in the model, where here it is a chunk of one token: preemption is
//! compared with a budget that takes any prompt whole.

use std::collections::HashMap;

use gateway_core::{Rng, Timestamp};

use super::support::{Mix, engine, fleet, lone, play, random_trace};
use crate::model::{ChipProfile, EngineConfig, EngineModel, Request, RequestId};
use crate::replay::{ReplayEngine, ReplayReport, TraceRequest};

const BLOCK: u32 = 16;

/// First and last token of each request, in seconds, and what it found in the cache.
#[derive(Debug, Default)]
struct Fates {
    first: HashMap<u64, f64>,
    last: HashMap<u64, f64>,
    cached: HashMap<u64, u32>,
    preemptions: u64,
    steps: u64,
}

fn tokens(request: &TraceRequest, number: usize) -> Vec<u32> {
    let word = |block: u64, at: u32| {
        let mixed = Rng::from_seed(block).next_u64() ^ u64::from(at);
        u32::try_from(mixed & 0xffff_ffff).expect("masked")
    };
    (0..request.input_tokens)
        .map(|at| {
            let place = (at / BLOCK) as usize;
            let block = request.blocks.get(place).copied();
            word(block.unwrap_or((number as u64) << 40 | place as u64), at)
        })
        .collect()
}

fn model(spec: &ReplayEngine, trace: &[TraceRequest], prefix_caching: bool) -> Fates {
    let mut model = EngineModel::new(EngineConfig {
        chip: spec.chip,
        block_tokens: BLOCK,
        kv_blocks: spec.kv_blocks,
        batch_tokens: spec.batch_tokens,
        max_sequences: spec.max_sequences,
        max_model_tokens: spec.kv_blocks * BLOCK,
        prefix_caching,
    })
    .expect("valid");
    let mut fates = Fates::default();
    let mut arrivals = trace.iter().enumerate().peekable();
    let at =
        |request: &TraceRequest| Timestamp::from_micros((request.at_seconds * 1e6).round() as u64);
    loop {
        let step = model.next_step_at();
        let arrival = arrivals.peek().map(|(_, request)| at(request));
        if let Some(now) = arrival.filter(|now| step.is_none_or(|step| *now <= step)) {
            let (number, request) = arrivals.next().expect("peeked");
            let output: Vec<u32> = (0..request.output_tokens)
                .map(|n| 0x8000_0000 | (number as u32) << 12 | n)
                .collect();
            let asked = Request::new(RequestId(number as u64), tokens(request, number), output);
            model.submit(now, asked).expect("fits");
            continue;
        }
        let Some(now) = step else { break };
        let output = model.step(now);
        let seconds = now.as_micros() as f64 / 1e6;
        for token in output.tokens.iter().filter(|token| token.index == 0) {
            fates.first.insert(token.id.0, seconds);
        }
        for id in &output.finished {
            fates.last.insert(id.0, seconds);
        }
        for admission in &output.admitted {
            fates.cached.insert(admission.id.0, admission.cached_tokens);
        }
    }
    fates.preemptions = model.metrics().preemptions;
    fates.steps = model.metrics().steps;
    fates
}

/// Arrivals on whole microseconds, as the model has them, each with its own remainder of 100: with [`round_chip`] none
/// comes just when a step ends, where a rounding would decide whether it is in time.
fn rounded(mut trace: Vec<TraceRequest>) -> Vec<TraceRequest> {
    assert!(trace.len() < 100);
    for (own, request) in (0..).zip(&mut trace) {
        let tenths_ms = (request.at_seconds * 1e4).floor();
        request.at_seconds = (tenths_ms * 100.0 + f64::from(own)) / 1e6;
    }
    trace
}

/// Steps of whole tenths of a millisecond.
fn round_chip() -> ChipProfile {
    ChipProfile {
        prefill_base_ms: 3.0,
        prefill_ms_per_token: 0.1,
        attention_ms_per_pair: 0.0,
        decode_base_ms: 6.4,
        decode_ms_per_sequence: 0.1,
        decode_ms_per_context_token: 0.1,
        host_ms: 1.5,
        ..engine(1).chip
    }
}

fn assert_agree(report: &ReplayReport, fates: &Fates) {
    // The model cuts each step to whole microseconds, which matters to chips whose steps are not.
    let tolerance = 1e-6 * (report.engines[0].steps + 2) as f64;
    assert_eq!(report.preemptions(), fates.preemptions);
    assert_eq!(report.engines[0].steps, fates.steps);
    for (number, record) in (0..).zip(&report.records) {
        let near = |got: Option<f64>, want: &HashMap<u64, f64>| {
            let (got, want) = (got.expect("served"), want[&number]);
            assert!(
                (got - want).abs() <= tolerance,
                "{number}: {got}, not {want}"
            );
        };
        near(record.first_token_seconds, &fates.first);
        near(record.finished_seconds, &fates.last);
        assert_eq!(
            record.cached_tokens, fates.cached[&number],
            "request {number}"
        );
    }
}

fn compare(spec: ReplayEngine, trace: Vec<TraceRequest>, prefix_caching: bool) -> Fates {
    let trace = rounded(trace);
    let fates = model(&spec, &trace, prefix_caching);
    let report = play(&fleet(BLOCK, vec![spec]), &trace);
    assert_agree(&report, &fates);
    fates
}

fn small(kv_blocks: u32) -> ReplayEngine {
    ReplayEngine {
        batch_tokens: 256,
        max_sequences: 12,
        ..engine(kv_blocks)
    }
}

const MIX: Mix = Mix {
    requests: 60,
    gap_seconds: 0.03,
    groups: 3,
    block_tokens: BLOCK,
    most_input: 400,
    most_output: 40,
};

#[test]
fn agrees_on_shared_prefixes_without_pressure() {
    let mut hits = 0;
    for seed in 0..30 {
        let spec = ReplayEngine {
            chip: round_chip(),
            ..small(4_000)
        };
        let mix = Mix {
            gap_seconds: 0.4,
            ..MIX
        };
        let fates = compare(spec, random_trace(seed, mix), true);
        hits += fates.cached.values().sum::<u32>();
    }
    assert!(hits > 10_000, "prefixes were shared");
}

#[test]
fn agrees_on_evictions() {
    let mut hits = 0;
    for seed in 100..130 {
        let mut trace = random_trace(seed, MIX);
        for request in &mut trace {
            request.input_tokens = request.input_tokens.next_multiple_of(BLOCK);
            request.output_tokens = 1;
        }
        let fates = compare(small(60), trace, true);
        hits += fates.cached.values().sum::<u32>();
    }
    assert!(hits > 1_000, "something survived");
}

#[test]
fn agrees_on_preemption() {
    let mut preemptions = 0;
    for seed in 200..230 {
        let mut rng = Rng::from_seed(seed);
        let mut at = 0.0;
        let trace = (0..40).map(|_| {
            at += rng.unit() * 0.2;
            lone(at, 1 + rng.below(60) as u32, 1 + rng.below(120) as u32)
        });
        let spec = ReplayEngine {
            chip: round_chip(),
            batch_tokens: 4_096,
            ..small(24)
        };
        preemptions += compare(spec, trace.collect(), false).preemptions;
    }
    assert!(preemptions > 100, "{preemptions} preemptions");
}
