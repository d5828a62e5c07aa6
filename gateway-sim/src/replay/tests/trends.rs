//! What must get better or worse with what, and what routers hear and may answer.

use gateway_core::decider::{Answer, Ask, RoleName};

use super::support::{
    Blind, Mix, Says, assert_near, engine, fleet, grouped, lone, play, random_trace,
};
use crate::replay::{
    FleetSpec, HostTier, ReplayEngine, ReplayError, SlowSpan, TraceRequest, replay,
};

const MIX: Mix = Mix {
    requests: 400,
    gap_seconds: 0.2,
    groups: 20,
    block_tokens: 512,
    most_input: 16_000,
    most_output: 200,
};

fn faster(trace: &[TraceRequest], times: f64) -> Vec<TraceRequest> {
    let mut trace = trace.to_vec();
    trace
        .iter_mut()
        .for_each(|request| request.at_seconds /= times);
    trace
}

fn mean_ttft(fleet: &FleetSpec, trace: &[TraceRequest]) -> f64 {
    play(fleet, trace).ttft().mean.as_secs_f64()
}

#[test]
fn more_load_is_never_faster() {
    let fleet = fleet(512, vec![engine(850); 4]);
    for seed in 0..4 {
        let trace = random_trace(seed, MIX);
        let means: Vec<f64> = [0.5, 1.0, 2.0, 4.0, 8.0]
            .map(|times| mean_ttft(&fleet, &faster(&trace, times)))
            .to_vec();
        assert!(means.is_sorted(), "seed {seed}: {means:?}");
        assert!(means[4] > 3.0 * means[0], "it saturates: {means:?}");
    }
}

#[test]
fn shared_prefixes_help_and_host_memory_helps_more() {
    for seed in 0..4 {
        let shared = random_trace(seed, MIX);
        let mut apart = shared.clone();
        for request in &mut apart {
            request.blocks = [].into();
        }
        let mut hosted = engine(250);
        hosted.host = Some(HostTier {
            blocks: 4_000,
            gbs: 50.0,
        });
        let plain = fleet(512, vec![engine(250); 2]);
        let with_host = fleet(512, vec![hosted; 2]);
        let none = mean_ttft(&plain, &apart);
        let device = play(&plain, &shared);
        let host = play(&with_host, &shared);
        assert_eq!(play(&plain, &apart).hit_rate(), 0.0);
        assert!(0.0 < device.hit_rate() && device.hit_rate() < host.hit_rate());
        assert!(device.ttft().mean.as_secs_f64() < none);
        assert!(host.ttft().mean < device.ttft().mean);
    }
}

#[test]
fn a_slow_engine_is_slower_and_its_fleet_uneven() {
    let trace = random_trace(5, MIX);
    let even = fleet(512, vec![engine(850); 4]);
    let mut uneven = even.clone();
    uneven.engines[2].slow = vec![SlowSpan {
        from_seconds: 0.0,
        to_seconds: f64::INFINITY,
        factor: 2.0,
    }];
    assert!(mean_ttft(&even, &trace) < mean_ttft(&uneven, &trace));
    let imbalance = |fleet| play(fleet, &trace).imbalance(RoleName::Both);
    assert!(imbalance(&even) < imbalance(&uneven));
    assert_eq!(play(&even, &trace).imbalance(RoleName::Decode), None);
    assert!(play(&uneven, &trace).goodput() <= play(&even, &trace).goodput());
}

#[test]
fn notes_come_in_order_and_as_late_as_they_shall() {
    let trace = random_trace(9, MIX);
    let fleet = fleet(512, vec![engine(850); 3]);
    let mut router = Blind::at_random(1);
    let mut arrived = 0;
    replay(&fleet, &trace, &mut router, &mut |count| arrived = count).expect("sensible");
    let told = router.told;
    assert_eq!(arrived, trace.len());
    assert_eq!(told.finishes.len(), trace.len());
    assert!(told.kv.is_sorted_by(|a, b| a.now <= b.now));
    assert_eq!(told.init.engines.len(), 3);
    assert_eq!(told.init.engines[1].tflops, Some(989.0));
    let sampled: Vec<f64> = told
        .telemetry
        .iter()
        .step_by(3)
        .map(|note| note.now)
        .collect();
    assert!(
        sampled
            .windows(2)
            .all(|two| (two[1] - two[0] - 1.0).abs() < 1e-9)
    );
    assert!(told.telemetry.iter().all(|note| note.kv_usage <= Some(1.0)));
    let last = told.telemetry.last().expect("samples");
    assert!(last.generation_tokens_total > Some(0.0) && last.prompt_tokens_total > Some(0.0));
}

#[test]
fn the_report_adds_up() {
    let trace = [lone(0.0, 600, 1), lone(0.0, 600, 3)];
    let mut strict = trace.clone();
    strict[1].ttft_slo_ms = 1.0;
    let fleet = fleet(512, vec![engine(100)]);
    let report = play(&fleet, &strict);
    assert_near(report.goodput(), 0.5, 1e-12);
    assert_eq!(report.e2e().count, 2);
    assert_eq!(report.tpot().count, 1);
    assert_eq!(report.itl().count, 2);
    assert!(report.itl().p50 <= report.itl().max);
    assert_near(report.imbalance(RoleName::Both).expect("one"), 1.0, 1e-12);
}

#[test]
fn a_held_request_is_asked_for_again_but_not_for_ever() {
    let fleet = fleet(512, vec![engine(100)]);
    let mut asks = Vec::new();
    let mut patient = Says(|ask: &Ask| {
        asks.push(ask.now);
        match asks.len() {
            1..=3 => Answer::Hold {
                id: ask.id,
                hold_ms: 20,
            },
            _ => Answer::Engine {
                id: ask.id,
                engine: 0,
            },
        }
    });
    let report = replay(&fleet, &[lone(1.0, 9, 2)], &mut patient, &mut |_| ()).expect("sensible");
    assert!(report.records[0].ttft().expect("served").as_millis() >= 60);
    assert_near(asks[3], 1.06, 1e-9);

    let mut count = 0;
    let mut never = Says(|ask: &Ask| {
        count += 1;
        Answer::Hold {
            id: ask.id,
            hold_ms: 0,
        }
    });
    let report = replay(&fleet, &[lone(1.0, 9, 2)], &mut never, &mut |_| ()).expect("sensible");
    assert_eq!((report.rejected(), report.goodput()), (1, 0.0));
    assert_eq!(count, 1_001);
}

#[test]
fn what_cannot_be_served_is_rejected() {
    let fleet = fleet(512, vec![engine(4)]);
    let mut router = Blind::by_turns();
    let trace = [
        lone(0.0, 2_048, 1),
        lone(0.0, 2_048, 2),
        lone(0.0, 9_999, 1),
    ];
    let report = replay(&fleet, &trace, &mut router, &mut |_| ()).expect("sensible");
    let rejected: Vec<bool> = report.records.iter().map(|r| r.rejected).collect();
    assert_eq!(rejected, [false, true, true]);
    assert_eq!(
        router.told.finishes.len(),
        3,
        "the router hears of every end"
    );

    let mut refuses = Says(|ask: &Ask| Answer::Reject {
        id: ask.id,
        reject: true,
    });
    let report = replay(&fleet, &trace, &mut refuses, &mut |_| ()).expect("sensible");
    assert_eq!(report.rejected(), 3);
    assert_near(report.makespan_seconds, 0.0, 0.0);
}

#[test]
fn what_would_never_end_is_an_error_and_long_silence_costs_nothing() {
    let mut endless = fleet(512, vec![engine(100)]);
    endless.engines[0].chip.host_ms = 1e300;
    let failed = replay(
        &endless,
        &[lone(0.0, 9, 2)],
        &mut Blind::by_turns(),
        &mut |_| (),
    );
    assert_eq!(failed, Err(ReplayError::Endless));

    // Three years without a request, and a hold as long as can be asked for.
    let mut quiet = fleet(512, vec![engine(100)]);
    quiet.telemetry_every_seconds = 0.01;
    let mut holds = 0;
    let mut drowsy = Says(|ask: &Ask| {
        holds += 1;
        match holds {
            1 => Answer::Hold {
                id: ask.id,
                hold_ms: u64::MAX,
            },
            _ => Answer::Engine {
                id: ask.id,
                engine: 0,
            },
        }
    });
    let trace = [lone(0.0, 9, 2), lone(1e8, 9, 2)];
    let report = replay(&quiet, &trace, &mut drowsy, &mut |_| ()).expect("sensible");
    assert_eq!(report.records[0].ttft().expect("served").as_secs(), 60);
    assert!(report.makespan_seconds > 1e8);
}

#[test]
fn wrong_answers_and_senseless_input_are_errors() {
    let good = fleet(512, vec![engine(100)]);
    let trace = [lone(0.0, 9, 2)];
    let ask = |id, engine| {
        let mut wrong = Says(move |_: &Ask| Answer::Engine { id, engine });
        replay(&good, &trace, &mut wrong, &mut |_| ()).expect_err("a wrong answer")
    };
    let unknown = ReplayError::UnknownEngine {
        request: 0,
        engine: 1,
    };
    let other = ReplayError::OtherRequest {
        asked: 0,
        answered: 7,
    };
    assert_eq!((ask(0, 1), ask(7, 0)), (unknown, other));

    let fails = |fleet: &FleetSpec, trace: &[TraceRequest]| {
        replay(fleet, trace, &mut Blind::by_turns(), &mut |_| ()).expect_err("senseless")
    };
    assert_eq!(
        fails(&fleet(512, Vec::new()), &trace),
        ReplayError::NoEngines
    );
    assert_eq!(
        fails(&fleet(0, vec![engine(1)]), &trace),
        ReplayError::Fleet("block_tokens")
    );
    let mut never = good.clone();
    never.telemetry_every_seconds = f64::NAN;
    assert_eq!(
        fails(&never, &trace),
        ReplayError::Fleet("telemetry_every_seconds")
    );
    let field = "kv_blocks";
    assert_eq!(
        fails(&fleet(512, vec![engine(0)]), &trace),
        ReplayError::Engine { engine: 0, field }
    );
    let mut instant = engine(100);
    (instant.chip.host_ms, instant.chip.decode_base_ms) = (0.0, 0.0);
    let field = "chip";
    assert_eq!(
        fails(&fleet(512, vec![ReplayEngine { ..instant }]), &trace),
        ReplayError::Engine { engine: 0, field }
    );
    let (index, field) = (1, "input_tokens");
    let empty = [grouped(0.0, (1, 0), 0, (512, 9, 1)), lone(0.0, 0, 1)];
    assert_eq!(fails(&good, &empty), ReplayError::Request { index, field });
}
