//! Times that follow from the formula by hand.

use super::support::{assert_near, engine, fleet, grouped, lone, play};
use crate::replay::{HostTier, SlowSpan};

const A: f64 = 2.98;
const B: f64 = 0.01905;
const C: f64 = 7.96e-7;
const D0: f64 = 6.43;
const DB: f64 = 0.0097;
const DKV: f64 = 4.24e-5;
const HOST: f64 = 1.5;

fn prefill_ms(tokens: f64, before: f64) -> f64 {
    D0.max(A + B * tokens) + C * tokens * (before + tokens / 2.0) + HOST
}

fn decode_ms(sequences: f64, context: f64) -> f64 {
    D0 + DB * sequences + DKV * context + HOST
}

#[test]
fn one_request_alone_takes_what_the_formula_says() {
    let report = play(&fleet(512, vec![engine(800)]), &[lone(3.0, 5_000, 4)]);
    let record = &report.records[0];
    let first = prefill_ms(5_000.0, 0.0) / 1_000.0;
    let decodes: f64 = (1..4).map(|n| decode_ms(1.0, 5_000.0 + f64::from(n))).sum();
    assert_near(
        record.first_token_seconds.expect("served") - 3.0,
        first,
        1e-9,
    );
    let end = first + decodes / 1_000.0;
    assert_near(record.finished_seconds.expect("served") - 3.0, end, 1e-9);
    assert_near(report.makespan_seconds, end, 1e-9);
    let only = &report.engines[0];
    assert_near(only.busy_share, 1.0, 1e-9);
    assert_eq!((only.steps, only.generated_tokens), (4, 4));
    assert_eq!((only.computed_tokens, only.blocks_peak), (5_000, 10));
    assert_eq!(report.gaps.count(), 3);
}

#[test]
fn a_prompt_beyond_the_budget_is_computed_in_chunks() {
    let report = play(&fleet(512, vec![engine(800)]), &[lone(0.0, 20_000, 1)]);
    let want = prefill_ms(8_192.0, 0.0)
        + prefill_ms(8_192.0, 8_192.0)
        + prefill_ms(20_000.0 - 16_384.0, 16_384.0);
    let got = report.records[0].finished_seconds.expect("served");
    assert_near(got * 1_000.0, want, 1e-6);
    assert_eq!(report.engines[0].steps, 3);
}

#[test]
fn a_prompt_joins_those_who_decode() {
    let trace = [lone(0.0, 100, 100), lone(0.1, 1_000, 2)];
    let report = play(&fleet(512, vec![engine(800)]), &trace);
    // The second waits for the step under way, then shares one with the first.
    let mut now = prefill_ms(100.0, 0.0);
    let mut context = 100.0;
    while now < 100.0 {
        context += 1.0;
        now += decode_ms(1.0, context);
    }
    now += (D0 + DB).max(A + B * 1_001.0) + C * 1_000.0 * 500.0 + DKV * (context + 1.0) + HOST;
    let first = report.records[1].first_token_seconds.expect("served");
    assert_near(first * 1_000.0, now, 1e-6);
    now += decode_ms(2.0, context + 2.0 + 1_001.0);
    let end = report.records[1].finished_seconds.expect("served");
    assert_near(end * 1_000.0, now, 1e-6);
}

#[test]
fn a_known_prefix_is_not_computed_again_but_its_last_block_is() {
    let sizes = (512, 2_048, 1);
    let trace = [
        grouped(0.0, (1, 4), 0, sizes),
        grouped(1.0, (1, 4), 1, sizes),
        grouped(2.0, (1, 3), 2, (512, 1_700, 1)),
    ];
    let report = play(&fleet(512, vec![engine(800)]), &trace);
    let cached: Vec<u32> = report.records.iter().map(|r| r.cached_tokens).collect();
    assert_eq!(cached, [0, 1_536, 1_536]);
    let second = report.records[1].finished_seconds.expect("served") - 1.0;
    assert_near(second * 1_000.0, prefill_ms(512.0, 1_536.0), 1e-6);
    assert_near(report.hit_rate(), 3_072.0 / 5_796.0, 1e-12);
}

#[test]
fn what_the_host_has_is_loaded_over_its_link() {
    let mut hosted = engine(4);
    hosted.host = Some(HostTier {
        blocks: 8,
        gbs: 25.0,
    });
    let sizes = (512, 2_048, 1);
    let trace = [
        grouped(0.0, (1, 4), 0, sizes),
        grouped(1.0, (2, 4), 1, sizes),
        grouped(2.0, (1, 4), 2, sizes),
    ];
    let report = play(&fleet(512, vec![hosted]), &trace);
    assert_eq!(report.records[2].cached_tokens, 1_536);
    let load_ms = 1_536.0 * 131_072.0 / 25e9 * 1_000.0;
    let took = report.records[2].finished_seconds.expect("served") - 2.0;
    assert_near(took * 1_000.0, prefill_ms(512.0, 1_536.0) + load_ms, 1e-6);
}

#[test]
fn a_slow_span_stretches_the_steps_that_start_in_it() {
    let mut slow = engine(800);
    slow.slow = vec![SlowSpan {
        from_seconds: 1.0,
        to_seconds: 2.0,
        factor: 3.0,
    }];
    let trace = [lone(0.0, 700, 1), lone(1.0, 700, 1), lone(2.0, 700, 1)];
    let report = play(&fleet(512, vec![slow]), &trace);
    let took: Vec<f64> = report
        .records
        .iter()
        .map(|record| record.ttft().expect("served").as_secs_f64() * 1_000.0)
        .collect();
    let plain = prefill_ms(700.0, 0.0);
    assert_near(took[0], plain, 1e-5);
    assert_near(took[1], 3.0 * plain, 1e-5);
    assert_near(took[2], plain, 1e-5);
}
