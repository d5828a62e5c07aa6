//! What the router learns of engines that fail and come back, in virtual time.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use gateway_router::{ErrorKind, RouterSettings, core::health::Availability};
use tokio::time::sleep;

use crate::common::{
    memory::{Act, Engines, fleet},
    rig::Rig,
};

const SECOND: Duration = Duration::from_secs(1);

fn rig(acts: &[Act], change: impl FnOnce(&mut RouterSettings)) -> (Rig, Engines) {
    let (mut settings, engines) = fleet(acts);
    change(&mut settings);
    let by_name = engines.clone();
    (
        Rig::driving(settings, move |told| by_name.client(told)),
        engines,
    )
}

/// Lets background tasks run until `reached`, in virtual time.
async fn until(reached: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if reached() {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("it does not come to that in 1,000 virtual seconds");
}

#[tokio::test(start_paused = true)]
async fn failures_open_the_breaker_and_one_trial_at_a_time_closes_it() {
    let (rig, engines) = rig(&[Act::Drains, Act::Serve], |settings| {
        settings.fleet.health.open_after = 3;
        settings.fleet.health.open_for = 2 * SECOND;
    });
    let a = engines.named("a");
    for _ in 0..10 {
        rig.ask().await.expect("b serves");
    }
    assert_eq!(
        a.sent.load(SeqCst),
        3,
        "three failures, then nobody asks it"
    );
    assert_eq!(
        rig.availability("a"),
        Availability::Open,
        "though its health route is well"
    );
    sleep(3 * SECOND).await;
    for _ in 0..5 {
        rig.ask().await.expect("b serves");
    }
    assert_eq!(a.sent.load(SeqCst), 4, "one trial, and it failed");
    sleep(3 * SECOND).await;
    rig.ask().await.expect("b serves");
    assert_eq!(a.sent.load(SeqCst), 4, "the wait has doubled");
    a.set(Act::Serve);
    sleep(2 * SECOND).await;
    for _ in 0..5 {
        assert_eq!(&*rig.ask().await.expect("served").endpoint, "a");
    }
}

#[tokio::test(start_paused = true)]
async fn probes_take_an_engine_out_and_bring_it_back() {
    for away in [Act::Dead, Act::Silent] {
        let (rig, engines) = rig(&[Act::Serve, Act::Serve], |_| {});
        until(|| engines.named("a").probed.load(SeqCst) > 0).await;
        engines.named("a").set(away);
        until(|| rig.availability("a") == Availability::Down).await;
        assert_eq!(&*rig.ask().await.expect("served").endpoint, "b");
        assert_eq!(
            engines.named("a").sent.load(SeqCst),
            0,
            "nobody was sent there to find out"
        );
        engines.named("a").set(Act::Serve);
        until(|| rig.availability("a") == Availability::Up).await;
        assert_eq!(&*rig.ask().await.expect("served").endpoint, "a");
    }
}

#[tokio::test(start_paused = true)]
async fn one_failed_probe_takes_nobody_out() {
    let (rig, engines) = rig(&[Act::Dead], |_| {});
    let a = engines.named("a");
    until(|| a.probed.load(SeqCst) == 1).await;
    a.set(Act::Serve);
    assert_eq!(rig.availability("a"), Availability::Up);
    until(|| a.probed.load(SeqCst) == 3).await;
    assert_eq!(rig.availability("a"), Availability::Up);
}

#[tokio::test(start_paused = true)]
async fn telemetry_that_fails_is_asked_for_less_often_and_recovers() {
    let (rig, engines) = rig(&[Act::Dead], |settings| {
        settings.watch.telemetry_every = SECOND;
        settings.watch.back_off_at_most = 16 * SECOND;
    });
    let a = engines.named("a");
    sleep(100 * SECOND).await;
    let failing = a.read.load(SeqCst);
    // 1 at once, then after about 2, 4, 8 s, then every 16 s with a tenth of jitter: 9 or 10.
    assert!((8..=11).contains(&failing), "{failing} readings in 100 s");
    a.set(Act::Serve);
    until(|| a.read.load(SeqCst) > failing).await;
    let recovered = a.read.load(SeqCst);
    sleep(20 * SECOND).await;
    let after = a.read.load(SeqCst) - recovered;
    assert!((17..=23).contains(&after), "{after} readings in 20 s");
    let fleet = rig.router.fleet();
    let reading = fleet.by_name("a").expect("listed").state().last_reading();
    assert_eq!(reading.expect("it was read").1.running, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_total_outage_is_not_made_worse_by_retries() {
    let (rig, engines) = rig(&[Act::Busy; 6], |settings| {
        settings.retry.budget_burst = 10;
        settings.retry.budget_ratio = 0.2;
    });
    for _ in 0..1_000 {
        rig.ask().await.expect_err("all are busy");
    }
    let retries = engines.sent() - 1_000;
    assert!(retries <= 10 + 200, "{retries} retries");
    assert!(
        retries >= 200,
        "and those that were earned are made: {retries}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_fleet_is_left_alone_and_says_so() {
    let (rig, engines) = rig(&[Act::Dead; 3], |_| {});
    let is_down = |name: &&str| rig.availability(name) == Availability::Down;
    until(|| ["a", "b", "c"].iter().all(is_down)).await;
    let error = rig.ask().await.expect_err("nobody is there");
    assert_eq!(
        (error.kind().name(), error.to_api().status),
        ("no_endpoint", 503)
    );
    assert_eq!(engines.sent(), 0);
    assert_eq!(rig.reports.only().attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn the_last_clone_dropped_ends_the_watch() {
    let (rig, engines) = rig(&[Act::Serve], |_| {});
    let a = Arc::clone(engines.named("a"));
    until(|| a.probed.load(SeqCst) > 2).await;
    let clone = rig.router.clone();
    drop(rig);
    let before = a.probed.load(SeqCst);
    until(|| a.probed.load(SeqCst) > before).await;
    drop(clone);
    sleep(SECOND).await;
    let last = (a.probed.load(SeqCst), a.read.load(SeqCst));
    sleep(100 * SECOND).await;
    assert_eq!((a.probed.load(SeqCst), a.read.load(SeqCst)), last);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_when_the_first_that_is_out_may_be_back() {
    let (rig, engines) = rig(&[Act::Drains, Act::Serve], |settings| {
        settings.fleet.health.open_for = 8 * SECOND;
        settings.fleet.health.jitter_percent = 0;
        settings.watch.probe_every = 40 * SECOND;
    });
    let b = engines.named("b");
    until(|| b.probed.load(SeqCst) > 0).await;
    b.set(Act::Dead);
    until(|| rig.availability("b") == Availability::Down).await;
    rig.ask().await.expect_err("the only one left fails");
    let refused = rig.ask().await.expect_err("nobody is up");
    assert_eq!(refused.kind(), ErrorKind::NoEndpoint);
    let breaker = refused.retry_after().expect("known");
    assert!(breaker.abs_diff(8 * SECOND) < SECOND / 10, "{breaker:?}");
    rig.router.fleet().endpoints()[0].state().set_draining(true);
    let refused = rig.ask().await.expect_err("nobody is up");
    let probe = refused.retry_after().expect("known");
    assert!((30 * SECOND..45 * SECOND).contains(&probe), "{probe:?}");
    rig.router.fleet().endpoints()[1].state().set_draining(true);
    let refused = rig.ask().await.expect_err("nobody is up");
    assert_eq!(refused.retry_after(), None, "somebody has to say so");
}
