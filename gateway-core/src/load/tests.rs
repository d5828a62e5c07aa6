use std::{sync::Arc, time::Duration};

use super::*;
use crate::{Stage, Timestamp};

const POLICY: TelemetryPolicy = TelemetryPolicy {
    stale_after: Duration::from_secs(5),
    forget_after: Duration::from_secs(60),
};
const WORK: Demand<'static> = Demand {
    stage: Stage::Unified,
    prompt_tokens: 100,
    cached_tokens: 0,
    loaded_tokens: 0,
    output_tokens: 50.0,
    blocks: &[],
    block_tokens: 0,
    is_silent: false,
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn reading(running: u32, waiting: u32) -> Telemetry {
    Telemetry {
        running: Some(running),
        waiting: Some(waiting),
        ..Telemetry::default()
    }
}

#[test]
fn a_booking_counts_at_once_and_gives_everything_back() {
    let state = Arc::new(EndpointState::default());
    let mut first = state.book(&WORK, at(0));
    let second = state.book(&WORK, at(0));
    assert_eq!(
        state.in_flight(),
        InFlight {
            requests: 2,
            prefilling: 2,
            queued_tokens: 200,
            context_tokens: 300,
            active_tokens: 200,
        }
    );
    first.first_token(None, at(0));
    first.first_token(None, at(0));
    assert_eq!(
        state.in_flight(),
        InFlight {
            requests: 2,
            prefilling: 1,
            queued_tokens: 100,
            context_tokens: 300,
            active_tokens: 200,
        }
    );
    drop(first);
    drop(second);
    assert_eq!(state.in_flight(), InFlight::default());
}

#[test]
fn a_panicking_request_releases_its_booking() {
    let state = Arc::new(EndpointState::default());
    let shared = Arc::clone(&state);
    let gone = std::thread::spawn(move || {
        let _booking = shared.book(&WORK, at(0));
        panic!("the request's task dies");
    });
    assert!(gone.join().is_err());
    assert_eq!(state.in_flight(), InFlight::default());
}

#[test]
fn ten_requests_between_two_readings_count_ten() {
    let state = Arc::new(EndpointState::default());
    let mark = state.mark(at(1));
    state.apply(&mark, &reading(0, 0));
    let bookings: Vec<_> = (0..10).map(|_| state.book(&WORK, at(2))).collect();
    assert_eq!(state.load(&POLICY, at(2)).requests, 10);
    // The next reading sees the same ten; they must not count twice.
    let mark = state.mark(at(3));
    state.apply(&mark, &reading(8, 2));
    assert_eq!(state.load(&POLICY, at(3)).requests, 10);
    drop(bookings);
    assert_eq!(state.load(&POLICY, at(3)).requests, 0);
}

#[test]
fn work_of_other_gateways_is_added_by_sample_time() {
    let state = Arc::new(EndpointState::default());
    let ours = state.book(&WORK, at(0));
    let mark = state.mark(at(1));
    state.apply(&mark, &reading(5, 3));
    let load = state.load(&POLICY, at(1));
    assert_eq!((load.requests, load.waiting), (8, 3));
    drop(ours);
    assert_eq!(state.load(&POLICY, at(1)).requests, 7, "only ours left");
}

#[test]
fn a_request_that_ended_while_the_reading_travelled_is_not_foreign() {
    let state = Arc::new(EndpointState::default());
    let ours = state.book(&WORK, at(0));
    let mark = state.mark(at(1));
    drop(ours);
    state.apply(&mark, &reading(1, 0));
    assert_eq!(state.load(&POLICY, at(1)).requests, 0);
}

#[test]
fn age_takes_a_readings_weight_in_two_steps() {
    let state = Arc::new(EndpointState::default());
    assert_eq!(state.load(&POLICY, at(0)).telemetry, Freshness::Missing);
    let mark = state.mark(at(1));
    state.apply(
        &mark,
        &Telemetry {
            kv_used: Some(0.5),
            ..reading(4, 0)
        },
    );
    assert_eq!(state.load(&POLICY, at(6)).telemetry, Freshness::Fresh);
    let stale = state.load(&POLICY, at(7));
    assert_eq!(
        (stale.telemetry, stale.requests, stale.kv_used),
        (Freshness::Stale, 4, Some(0.5))
    );
    let gone = state.load(&POLICY, at(61));
    assert_eq!(
        (gone.telemetry, gone.requests, gone.kv_used),
        (Freshness::Missing, 0, None)
    );
}

#[test]
fn a_clock_that_jumps_back_leaves_readings_fresh() {
    let state = Arc::new(EndpointState::default());
    let mark = state.mark(at(100));
    state.apply(&mark, &reading(1, 0));
    assert_eq!(state.load(&POLICY, at(1)).telemetry, Freshness::Fresh);
}

#[test]
fn kv_use_moves_with_our_own_requests_until_the_next_reading() {
    let state = Arc::new(EndpointState::default());
    let mark = state.mark(at(0));
    let told = Telemetry {
        kv_used: Some(0.5),
        kv_capacity_tokens: Some(1_500),
        ..Telemetry::default()
    };
    state.apply(&mark, &told);
    let booking = state.book(&WORK, at(1));
    let used = state.load(&POLICY, at(1)).kv_used.expect("told");
    assert!((used - 0.6).abs() < 1e-6, "{used}");
    drop(booking);
    assert_eq!(state.load(&POLICY, at(1)).kv_used, Some(0.5));
}

#[test]
fn two_readings_make_rates() {
    let state = EndpointState::default();
    let read = |seconds, tokens| {
        let mark = state.mark(at(seconds));
        let reading = Telemetry {
            generation_tokens: Some(tokens),
            ..Telemetry::default()
        };
        state.apply(&mark, &reading);
    };
    read(1, 100);
    assert_eq!(state.rates(), None, "one reading is no rate");
    read(3, 300);
    let rates = state.rates().expect("two readings");
    assert_eq!(rates.generation_tokens_per_second, Some(100.0));
    assert_eq!(rates.sampled_at, at(3));
}

#[test]
fn a_decode_leg_that_shows_nothing_counts_as_silence_once_it_was_sent() {
    let state = Arc::new(EndpointState::default());
    let decode = Demand {
        stage: Stage::Decode,
        ..WORK
    };
    let mut leg = state.book(&decode, at(0));
    state.sent(at(0));
    let is_silent = |seconds| state.caution(at(seconds)).is_silent;
    assert!(!is_silent(100), "its prompt is computed elsewhere");
    // Five seconds for what is left of that and the transfer.
    leg.handed_over(5_000.0, at(100));
    assert!(!is_silent(110) && !is_silent(119), "several times that");
    assert!(is_silent(130));
    leg.first_token(None, at(130));
    state.heard(at(130));
    assert!(!is_silent(131));
    drop(leg);
    let whole = Demand {
        is_silent: true,
        ..decode
    };
    let mut leg = state.book(&whole, at(200));
    leg.handed_over(1.0, at(200));
    assert!(!is_silent(300), "it shows nothing before its end");
}
