use std::time::Duration;

use super::*;
use crate::{Timestamp, load::Telemetry};

const POLICY: HealthPolicy = HealthPolicy {
    down_after: 2,
    open_after: 3,
    open_for: Duration::from_secs(1),
    open_at_most: Duration::from_secs(4),
    jitter_percent: 0,
    panic_percent: 100,
    slow_start: Duration::from_secs(10),
    silent_after: Duration::from_secs(3),
    stalled_after: Duration::from_secs(10),
};

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn opened() -> HealthSwitch {
    let switch = HealthSwitch::default();
    for _ in 0..3 {
        switch.finished(&POLICY, Outcome::Failed, at(0));
    }
    switch
}

#[test]
fn probes_take_out_after_a_streak_and_bring_back_at_once() {
    let switch = HealthSwitch::default();
    switch.probed(&POLICY, Probe::Failed, at(1));
    assert_eq!(switch.availability(at(1)), Availability::Up);
    switch.probed(&POLICY, Probe::Gone, at(2));
    assert_eq!(switch.availability(at(2)), Availability::Down);
    assert!(switch.is_gone());
    switch.probed(&POLICY, Probe::Failed, at(3));
    assert!(!switch.is_gone(), "somebody is there again");
    assert!(switch.probed(&POLICY, Probe::Well, at(4)), "it is back");
    assert_eq!(switch.availability(at(4)), Availability::Up);
    assert!(!switch.probed(&POLICY, Probe::Well, at(5)), "once");
}

#[test]
fn a_healthy_answer_does_not_close_the_breaker() {
    let switch = opened();
    switch.probed(&POLICY, Probe::Well, at(20));
    assert_eq!(switch.availability(at(20)), Availability::Open);
}

#[test]
fn an_open_breaker_lets_one_trial_through_and_doubles_its_wait() {
    let switch = opened();
    assert_eq!(switch.availability(at(999)), Availability::Open);
    assert_eq!(switch.availability(at(1_000)), Availability::Up);
    switch.trial_started(at(1_000));
    assert_eq!(
        switch.availability(at(1_001)),
        Availability::Open,
        "one trial at a time"
    );
    switch.finished(&POLICY, Outcome::Failed, at(1_100));
    assert_eq!(
        switch.availability(at(3_000)),
        Availability::Open,
        "2 s now"
    );
    assert_eq!(switch.availability(at(3_100)), Availability::Up);
    switch.trial_started(at(3_100));
    assert!(switch.finished(&POLICY, Outcome::Served, at(3_200)));
    assert_eq!(switch.availability(at(3_200)), Availability::Up);
}

#[test]
fn what_was_sent_before_it_opened_does_not_lengthen_the_wait() {
    let switch = opened();
    for _ in 0..20 {
        switch.finished(&POLICY, Outcome::Failed, at(500));
    }
    assert_eq!(switch.availability(at(1_000)), Availability::Up);
}

#[test]
fn jitter_keeps_endpoints_apart_and_within_its_share() {
    let policy = HealthPolicy {
        jitter_percent: 10,
        ..POLICY
    };
    let back = |salt: u64| {
        let switch = HealthSwitch::salted(salt);
        for _ in 0..3 {
            switch.finished(&policy, Outcome::Failed, at(0));
        }
        (0..2_000)
            .find(|&ms| switch.availability(at(ms)).is_up())
            .expect("it comes back")
    };
    let times: std::collections::BTreeSet<u64> = (0..50).map(back).collect();
    assert!(times.len() > 20, "{times:?}");
    assert!(
        times.iter().all(|ms| (900..=1_100).contains(ms)),
        "{times:?}"
    );
}

#[test]
fn bounds_in_any_order_and_of_any_length_open_the_breaker() {
    let open_until = |open_for, open_at_most| {
        let policy = HealthPolicy {
            open_for,
            open_at_most,
            jitter_percent: 100,
            ..POLICY
        };
        let switch = HealthSwitch::salted(7);
        for trial in 1..9 {
            for _ in 0..3 {
                switch.finished(&policy, Outcome::Failed, at(trial));
            }
            switch.probed(&policy, Probe::Failed, at(trial));
            switch.probed(&policy, Probe::Failed, at(trial));
            switch.probed(&policy, Probe::Well, at(trial));
            switch.trial_started(at(trial));
        }
        switch.availability(at(10))
    };
    let second = Duration::from_secs(1);
    for (open_for, open_at_most) in [
        (60 * second, 30 * second),
        (Duration::MAX, second),
        (Duration::MAX, Duration::MAX),
        (second, Duration::MAX),
    ] {
        assert_eq!(open_until(open_for, open_at_most), Availability::Open);
    }
}

#[test]
fn when_it_may_be_back_is_told_where_it_is_known() {
    let ms = |millis| Some(Duration::from_millis(millis));
    let switch = opened();
    assert_eq!(switch.back_in(at(400)), ms(600));
    assert_eq!(switch.back_in(at(1_000)), None, "it is");
    switch.probed(&POLICY, Probe::Failed, at(10));
    switch.probed(&POLICY, Probe::Failed, at(20));
    assert_eq!(switch.back_in(at(400)), None, "who knows");
    switch.probes_next(at(5_000));
    assert_eq!(switch.back_in(at(400)), ms(4_600));
    assert_eq!(switch.back_in(at(5_001)), ms(0), "just now");
    switch.set_draining(true);
    assert_eq!(switch.back_in(at(400)), None, "when somebody says so");
}

#[test]
fn neutral_ends_change_nothing_and_draining_wins() {
    let switch = HealthSwitch::default();
    for _ in 0..9 {
        switch.finished(&POLICY, Outcome::Neutral, at(0));
    }
    assert!(switch.availability(at(0)).is_up());
    switch.set_draining(true);
    assert_eq!(switch.availability(at(0)), Availability::Draining);
    switch.set_draining(false);
    assert!(switch.availability(at(0)).is_up());
}

#[test]
fn a_share_grows_from_a_tenth_to_all_and_only_when_told() {
    let ramp = Ramp::new(Duration::from_secs(10));
    assert_eq!(ramp.share(at(5)), 1.0);
    ramp.begin_when_seen();
    assert_eq!(ramp.share(at(7_000)), 0.1, "from the first look on");
    assert!((ramp.share(at(12_000)) - 0.55).abs() < 1e-6);
    ramp.begin(at(13_000));
    assert_eq!(ramp.share(at(13_000)), 0.1, "anew");
    assert_eq!(ramp.share(at(23_000)), 1.0);
    assert_eq!(ramp.share(at(13_001)), 1.0, "for good");
    let off = Ramp::new(Duration::ZERO);
    off.begin(at(1));
    off.begin_when_seen();
    assert_eq!(off.share(at(1)), 1.0);
}

#[test]
fn silence_counts_only_where_somebody_listens() {
    let signs = Signs::default();
    let floor = Duration::from_secs(3);
    assert_eq!(signs.quiet_since(floor, at(60_000)), None);
    signs.sent(true, at(60_000));
    assert_eq!(signs.quiet_since(floor, at(63_000)), None);
    assert_eq!(signs.quiet_since(floor, at(63_001)), Some(at(60_000)));
    signs.sent(false, at(63_001));
    assert!(
        signs.quiet_since(floor, at(63_001)).is_some(),
        "still quiet"
    );
    signs.heard(at(63_002));
    assert_eq!(signs.quiet_since(floor, at(66_000)), None);
}

#[test]
fn counters_that_stand_while_requests_run_are_a_stall() {
    let reading = |running, generated| Telemetry {
        running: Some(running),
        generation_tokens: Some(generated),
        ..Telemetry::default()
    };
    let span = Duration::from_secs(10);
    let signs = Signs::default();
    let read = |from: u64, before: Telemetry, now: Telemetry| {
        signs.read((at(from), &before), (at(from + 1_000), &now));
    };
    for second in 0..11 {
        read(second * 1_000, reading(3, 70), reading(3, 70));
    }
    assert!(!signs.is_stalled(span, at(10_000)));
    assert!(signs.is_stalled(span, at(11_001)));
    assert!(
        !signs.is_stalled(span, at(22_000)),
        "an old reading excludes nobody"
    );
    read(22_000, reading(3, 70), reading(3, 71));
    assert!(!signs.is_stalled(span, at(33_001)));
    for second in 40..60 {
        read(second * 1_000, reading(0, 71), reading(0, 71));
    }
    assert!(!signs.is_stalled(span, at(60_000)), "idle is not stalled");
}
