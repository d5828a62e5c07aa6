//! What senders of messages can do wrong: nothing of it panics, and every decision is among those that were asked for.

use gateway_core::{
    Pipelines, Registry,
    decider::{Answer, DecideError, Decider, Message},
    pipeline::{ModelPipelines, preset},
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A decider with the `latency` preset, which keeps the record of each decision.
fn decider() -> Decider {
    let spec = preset("latency").expect("a preset");
    let pipelines = ModelPipelines::build(&Registry::builtin(), &spec).expect("it builds");
    Decider::new(Pipelines::new(pipelines), "m", 1).explaining()
}

/// Four engines, numbered 10 to 13.
fn init() -> Value {
    let engine = |id| json!({"id": id, "class": "a", "kv_blocks": 1_000, "max_seqs": 256});
    json!({"t": "init", "block_size": 16, "engines": [engine(10), engine(11), engine(12), engine(13)]})
}

/// A fleet that took these messages.
fn told(messages: &[Value]) -> Decider {
    let mut decider = decider();
    for message in [init()].iter().chain(messages) {
        assert_eq!(tell(&mut decider, message), None, "{message}");
    }
    decider
}

/// The engine that a message was answered with.
fn tell(decider: &mut Decider, message: &Value) -> Option<u32> {
    let message: Message = serde_json::from_value(message.clone()).expect("a message");
    let (answer, _) = decider.message(&message).expect("after `init`")?;
    let Answer::Engine { engine, .. } = answer else {
        panic!("{answer:?}");
    };
    Some(engine)
}

fn ask(id: u64, now: f64) -> Value {
    json!({"t": "route", "req": {"id": id, "now": now, "input": 400}})
}

/// How many of 40 requests each engine got that came at once and stay.
fn spread(decider: &mut Decider, now: f64) -> [u32; 4] {
    let mut counts = [0; 4];
    for id in 0..40 {
        let engine = tell(decider, &ask(1_000 + id, now)).expect("an answer");
        counts[engine as usize - 10] += 1;
    }
    counts
}

fn assert_even(decider: &mut Decider, now: f64) {
    let counts = spread(decider, now);
    assert!(counts.iter().all(|n| (9..=11).contains(n)), "{counts:?}");
}

/// Requests in flight on each engine, as the next decision sees them.
fn loads(decider: &mut Decider, now: f64) -> Vec<u32> {
    let message = serde_json::from_value(ask(999_999, now)).expect("a message");
    let (_, record) = decider
        .message(&message)
        .expect("a fleet")
        .expect("answered");
    let end = json!({"t": "finish", "id": 999_999, "now": now});
    tell(decider, &end);
    let candidates = record.expect("explained").candidates;
    candidates.iter().map(|c| c.load.requests).collect()
}

#[test]
fn unknown_fields_are_ignored_in_every_message() {
    let mut decider = told(&[
        json!({"t": "telemetry", "now": 1, "engine": 10, "running": 1, "extra": {"a": [1]}}),
        json!({"t": "kv", "now": 1, "engine": 10, "stored": [1], "tier": "disk", "lora": null}),
        json!({"t": "prefill_done", "now": 1, "id": 1, "engine": 10, "extra": 1}),
        json!({"t": "first_token", "now": 1, "id": 1, "engine": 10, "extra": 1}),
        json!({"t": "finish", "now": 1, "id": 1, "engine": 10, "output": 1, "extra": 1}),
    ]);
    assert!(
        tell(
            &mut decider,
            &json!({"t": "route", "req": {"id": 1, "user": "u"}})
        )
        .is_some()
    );
}

#[test]
fn a_million_blocks_in_one_note() {
    let blocks: Vec<u64> = (0..1_000_000).map(|n| n * 7_919).collect();
    let mut decider = told(&[
        json!({"t": "kv", "now": 1, "engine": 10, "stored": blocks}),
        json!({"t": "kv", "now": 1, "engine": 11, "removed": blocks, "host_stored": blocks}),
        json!({"t": "kv", "now": 2, "engine": 10, "removed": blocks}),
    ]);
    assert!(tell(&mut decider, &ask(1, 3.0)).is_some());
}

#[test]
fn a_prompt_of_a_million_blocks() {
    let blocks: Vec<u64> = (0..1_000_000).collect();
    let mut decider = told(&[]);
    let long =
        json!({"t": "route", "req": {"id": 1, "now": 1, "input": u64::MAX, "hashes": blocks}});
    assert!(tell(&mut decider, &long).is_some());
    assert!(tell(&mut decider, &ask(2, 1.0)).is_some());
}

#[test]
fn block_ids_are_any_numbers() {
    let odd = json!([-1, i64::MIN, u64::MAX, 3.0, 0.5, 1e300, 0]);
    let mut decider = told(&[json!({"t": "kv", "now": 1, "engine": 12, "stored": odd})]);
    let with_them = json!({"t": "route", "req": {"id": 1, "now": 1, "input": 112, "hashes": odd}});
    assert!(tell(&mut decider, &with_them).is_some());
    let same = json!({"t": "route", "req": {"id": 2, "now": 1, "hashes": [-1.0, i64::MIN]}});
    assert!(tell(&mut decider, &same).is_some());
}

#[test]
fn telemetry_without_a_word_changes_nothing() {
    let mut decider = told(&[json!({"t": "telemetry", "engine": 10})]);
    assert_even(&mut decider, 1.0);
}

#[test]
fn negative_telemetry_changes_nothing() {
    let odd = json!({"t": "telemetry", "now": -5, "engine": 10, "running": -3, "waiting": -1e9,
        "kv_usage": -0.5, "prompt_tokens_total": -1, "generation_tokens_total": -1});
    assert_even(&mut told(&[odd]), 1.0);
}

#[test]
fn telemetry_that_is_no_number_changes_nothing() {
    let mut decider = told(&[]);
    let odd = Message::Telemetry(gateway_core::decider::TelemetryNote {
        now: f64::NAN,
        engine: 10,
        running: Some(f64::NAN),
        waiting: Some(f64::INFINITY),
        kv_usage: Some(f64::NAN),
        prompt_tokens_total: Some(f64::NEG_INFINITY),
        generation_tokens_total: Some(f64::NAN),
    });
    decider.message(&odd).expect("a fleet");
    assert_even(&mut decider, 1.0);
}

#[test]
fn telemetry_minutes_old_changes_nothing() {
    let mut decider = told(&[]);
    tell(&mut decider, &ask(1, 500.0));
    tell(&mut decider, &json!({"t": "finish", "id": 1, "now": 500}));
    let old = json!({"t": "telemetry", "now": 200, "engine": 10, "running": 200, "waiting": 500});
    tell(&mut decider, &old);
    assert_even(&mut decider, 500.0);
}

#[test]
fn telemetry_of_the_future_is_of_now_and_stops_no_clock() {
    let future = json!({"t": "telemetry", "now": 1e12, "engine": 10, "running": 0, "waiting": 0});
    assert_even(&mut told(&[future]), 1.0);
}

#[test]
fn an_older_sample_does_not_replace_a_newer_one() {
    let mut decider = told(&[]);
    tell(&mut decider, &ask(1, 10.0));
    tell(&mut decider, &json!({"t": "finish", "id": 1, "now": 10}));
    tell(
        &mut decider,
        &json!({"t": "telemetry", "now": 9, "engine": 10, "waiting": 0}),
    );
    let ignored = decider.ignored();
    tell(
        &mut decider,
        &json!({"t": "telemetry", "now": 8, "engine": 10, "waiting": 90}),
    );
    assert_eq!(decider.ignored(), ignored + 1);
    assert_even(&mut decider, 10.0);
}

#[test]
fn absurd_counts_exclude_one_engine_and_nobody_else() {
    let absurd = json!({"t": "telemetry", "now": 1e300, "engine": 10, "running": 1e300,
        "waiting": 1e300, "kv_usage": 1.0, "prompt_tokens_total": 1e300});
    let counts = spread(&mut told(&[absurd]), 1.0);
    assert_eq!(counts.iter().sum::<u32>(), 40);
    assert!(
        counts[1..].iter().all(|n| (12..=15).contains(n)),
        "{counts:?}"
    );
}

#[test]
fn clocks_that_jump_back_and_forth() {
    let mut decider = told(&[]);
    for (id, now) in [5.0, 1e9, 0.0, -7.0, 3.0, 1e15, 2.0, 2.5]
        .into_iter()
        .enumerate()
    {
        assert!(tell(&mut decider, &ask(id as u64, now)).is_some());
        tell(
            &mut decider,
            &json!({"t": "first_token", "id": id, "now": now - 100.0}),
        );
        tell(
            &mut decider,
            &json!({"t": "finish", "id": id, "now": now + 50.0, "output": 5}),
        );
    }
    assert_eq!(loads(&mut decider, 3.0), [0; 4]);
    assert_even(&mut decider, 4.0);
}

#[test]
fn another_fleet_knows_nothing_of_the_one_before() {
    let mut decider = told(&[]);
    let before = tell(&mut decider, &ask(1, 100.0)).expect("an answer");
    let other = json!({"t": "init", "engines": [{"id": 2}, {"id": before}]});
    tell(&mut decider, &other);
    tell(&mut decider, &json!({"t": "finish", "id": 1, "now": 101}));
    assert_eq!(decider.ignored(), 1);
    assert_eq!(loads(&mut decider, 1.0), [0, 0]);
    let nobody = json!({"t": "init", "engines": []});
    tell(&mut decider, &nobody);
    let message = serde_json::from_value(ask(3, 1.0)).expect("a message");
    let (answer, _) = decider
        .message(&message)
        .expect("a fleet")
        .expect("answered");
    assert_eq!(
        answer,
        Answer::Reject {
            id: 3,
            reject: true
        }
    );
}

#[test]
fn messages_before_a_fleet_say_so() {
    let message = serde_json::from_value(ask(3, 1.0)).expect("a message");
    assert_eq!(
        decider().message(&message),
        Err(DecideError::NoFleet("route"))
    );
}

#[test]
fn ends_of_requests_that_are_not_there_are_counted_and_do_nothing() {
    let mut decider = told(&[]);
    for t in ["prefill_done", "first_token", "finish"] {
        tell(&mut decider, &json!({"t": t, "id": 77, "now": 1}));
    }
    assert_eq!(decider.ignored(), 3);
    assert_eq!(loads(&mut decider, 1.0), [0; 4]);
}

#[test]
fn whatever_comes_twice_counts_once() {
    let mut decider = told(&[]);
    tell(&mut decider, &ask(1, 1.0));
    tell(
        &mut decider,
        &json!({"t": "prefill_done", "id": 1, "now": 1.1}),
    );
    for t in [
        "first_token",
        "first_token",
        "finish",
        "finish",
        "first_token",
    ] {
        tell(
            &mut decider,
            &json!({"t": t, "id": 1, "now": 2, "cached": u32::MAX, "output": 0}),
        );
    }
    assert_eq!(loads(&mut decider, 2.0), [0; 4]);
}

#[test]
fn a_number_that_comes_again_leaves_one_request() {
    let mut decider = told(&[]);
    for _ in 0..50 {
        tell(&mut decider, &ask(1, 1.0));
    }
    assert_eq!(loads(&mut decider, 1.0).iter().sum::<u32>(), 1);
    tell(&mut decider, &json!({"t": "finish", "id": 1, "now": 2}));
    assert_eq!(loads(&mut decider, 2.0), [0; 4]);
}

#[test]
fn a_pair_whose_first_half_never_ends_goes_with_its_second() {
    let mut decider = told(&[]);
    let ask = json!({"t": "route", "req": {"id": 1, "now": 1, "input": 90_000, "phase": "prefill",
        "cands": [10], "decode_cands": [11]}});
    let message = serde_json::from_value(ask).expect("a message");
    decider
        .message(&message)
        .expect("a fleet")
        .expect("answered");
    assert!(loads(&mut decider, 1.0).iter().sum::<u32>() >= 1);
    tell(&mut decider, &json!({"t": "finish", "id": 1, "now": 2}));
    assert_eq!(loads(&mut decider, 2.0), [0; 4]);
}

#[test]
fn cache_events_of_nobody_and_in_no_order() {
    let mut decider = told(&[
        json!({"t": "kv", "now": 1, "engine": 99, "stored": [1, 2]}),
        json!({"t": "kv", "now": 1, "engine": 10, "removed": [1, 2, 3], "host_removed": [9]}),
        json!({"t": "kv", "now": 1, "engine": 10, "stored": [3, 1, 2]}),
        json!({"t": "kv", "now": 1, "engine": 10, "stored": [1], "removed": [1]}),
        json!({"t": "kv", "engine": 10, "stored": null}),
    ]);
    assert_eq!(decider.ignored(), 1);
    let ask = json!({"t": "route", "req": {"id": 1, "now": 1, "input": 48, "hashes": [1, 2, 3]}});
    assert!(tell(&mut decider, &ask).is_some());
}

/// Any number that JSON has, often a small one.
fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => (0_u64..20).prop_map(|n| json!(n)),
        2 => (0.0..30.0).prop_map(|n: f64| json!(n)),
        1 => any::<f64>().prop_map(|n| json!(n)),
        1 => Just(Value::Null),
    ]
}

fn blocks() -> impl Strategy<Value = Value> {
    prop::collection::vec(0_u64..30, 0..12).prop_map(|ids| json!(ids))
}

fn engines() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        prop::collection::vec(9_u64..15, 0..5).prop_map(|ids| json!(ids)),
    ]
}

fn message() -> impl Strategy<Value = Value> {
    let note = (0..3_usize, number(), 0_u64..20, number(), number()).prop_map(
        |(kind, now, id, cached, output)| {
            let t = ["prefill_done", "first_token", "finish"][kind];
            json!({"t": t, "now": now, "id": id, "cached": cached, "output": output})
        },
    );
    let telemetry = (number(), 9_u64..15, number(), number(), number()).prop_map(
        |(now, engine, running, waiting, share)| {
            json!({"t": "telemetry", "now": now, "engine": engine, "running": running,
                "waiting": waiting, "kv_usage": share, "prompt_tokens_total": running})
        },
    );
    let kv = (number(), 9_u64..15, blocks(), blocks(), blocks()).prop_map(
        |(now, engine, stored, removed, host)| {
            json!({"t": "kv", "now": now, "engine": engine, "stored": stored, "removed": removed,
                "host_stored": host, "host_removed": removed})
        },
    );
    let route = (
        0_u64..20,
        number(),
        number(),
        blocks(),
        any::<bool>(),
        engines(),
        engines(),
    )
        .prop_map(|(id, now, input, hashes, pair, cands, decode)| {
            json!({"t": "route", "req": {"id": id, "now": now, "input": input, "hashes": hashes,
                "phase": if pair { "prefill" } else { "both" }, "ttft_slo_ms": input,
                "tpot_slo_ms": now, "cands": cands, "decode_cands": decode}})
        });
    prop_oneof![1 => Just(init()), 20 => note, 10 => telemetry, 10 => kv, 30 => route]
}

/// Whether `engine` is in the fleet and among those asked for.
fn is_among(engine: u32, asked: Option<&Vec<u32>>) -> bool {
    (10..14).contains(&engine) && asked.is_none_or(|asked| asked.contains(&engine))
}

fn nobody_among(asked: Option<&Vec<u32>>) -> bool {
    (10..14).all(|engine| !is_among(engine, asked))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_said_every_answer_is_among_those_asked_for(
        messages in prop::collection::vec(message(), 1..120)
    ) {
        let mut decider = told(&[]);
        for value in messages {
            let message: Message = serde_json::from_value(value.clone()).expect("lenient");
            let answer = decider.message(&message).expect("a fleet");
            let Message::Route { req } = &message else {
                prop_assert_eq!(answer, None);
                continue;
            };
            let (cands, decode) = (req.cands.as_ref(), req.decode_cands.as_ref());
            let fine = match answer.expect("answered").0 {
                Answer::Engine { engine, .. } => is_among(engine, cands),
                Answer::Pair { prefill, decode: other, .. } if prefill == other => {
                    is_among(other, decode) || is_among(prefill, cands)
                }
                Answer::Pair { prefill, decode: other, .. } => {
                    is_among(prefill, cands) && is_among(other, decode)
                }
                Answer::Reject { .. } => nobody_among(cands),
                Answer::Hold { .. } => false,
            };
            prop_assert!(fine, "{value}");
        }
        for id in 0..20 {
            let end = json!({"t": "finish", "id": id, "now": 40, "output": 3});
            tell(&mut decider, &end);
        }
        let counted = decider.message(&serde_json::from_value(ask(50, 1e9)).expect("a message"));
        let record = counted.expect("a fleet").expect("answered").1.expect("explained");
        for candidate in &record.candidates {
            prop_assert_eq!(candidate.load.queued_tokens, 0);
            prop_assert_eq!(candidate.load.context_tokens, 0);
            let forecast = &candidate.forecast;
            for value in [forecast.wait_ms, forecast.ttft_ms, forecast.occupancy, candidate.total] {
                prop_assert!(value.is_finite() && value >= 0.0, "{candidate:?}");
            }
        }
    }
}
