//! Steering before refusing: silence, slow start, panic.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use gateway_router::core::{
    Pipeline,
    health::Availability,
    plugin::{filter_fn, scorer_fn},
    plugins::filters::Steady,
};
use tokio::time::sleep;

use super::{SECOND, rig};
use crate::common::{memory::Act, rig::chunk};

/// The first in the list that is healthy and steady.
fn steady() -> Pipeline {
    Pipeline::builder()
        .filter("healthy", filter_fn(|_, c| c.availability.is_up()))
        .filter(
            "exclude",
            filter_fn(|cx, c| !cx.exclude.contains(&c.endpoint.id())),
        )
        .soft_filter("steady", Steady)
        .scorer(
            "listed",
            1.0,
            scorer_fn(|_, c| 1.0 / (1.0 + f32::from(c.endpoint.id().0))),
        )
        .build()
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_froze_is_steered_away_from_before_anything_fails() {
    let freeze = Act::Freeze {
        after: 3,
        every: SECOND,
    };
    let (rig, engines) = rig(&[freeze, Act::Serve], 100, |settings| {
        settings.pipelines = steady().into();
    });
    let reply = rig.ask_for_stream().await.expect("it begins");
    assert_eq!(&*reply.endpoint, "a");
    let mut body = reply.response.into_body();
    for _ in 0..3 {
        chunk(&mut body).await.expect("a chunk");
        assert_eq!(&*rig.ask_for_stream().await.expect("well").endpoint, "a");
    }
    sleep(10 * SECOND).await;
    for _ in 0..5 {
        assert_eq!(&*rig.ask().await.expect("served").endpoint, "b");
    }
    assert_eq!(
        rig.availability("a"),
        Availability::Up,
        "nothing failed yet"
    );
    engines.named("a").set(Act::Serve);
    drop(body);
    let back = rig.ask().await.expect("served");
    assert_eq!(&*back.endpoint, "a", "nothing is due from it any more");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_back_gets_a_growing_share() {
    let (rig, engines) = rig(&[Act::Serve, Act::Serve], 100, |settings| {
        settings.pipelines = steady().into();
        settings.fleet.health.slow_start = 20 * SECOND;
    });
    let a = engines.named("a");
    assert_eq!(
        &*rig.ask().await.expect("served").endpoint,
        "a",
        "at once at the start"
    );
    a.set(Act::Dead);
    while rig.availability("a").is_up() {
        sleep(SECOND / 10).await;
    }
    a.set(Act::Serve);
    while !rig.availability("a").is_up() {
        sleep(SECOND / 100).await;
    }
    let mut shares = Vec::new();
    for _ in 0..3 {
        let before = a.sent.load(SeqCst);
        for _ in 0..200 {
            rig.ask().await.expect("served");
        }
        shares.push((a.sent.load(SeqCst) - before) / 2);
        sleep(10 * SECOND).await;
    }
    assert!((3..=25).contains(&shares[0]), "percent {shares:?}");
    assert!((35..=75).contains(&shares[1]), "percent {shares:?}");
    assert_eq!(shares[2], 100, "percent {shares:?}");
}

#[tokio::test(start_paused = true)]
async fn with_every_breaker_open_requests_spread_and_succeed_as_soon_as_they_can() {
    let (rig, engines) = rig(&[Act::Drains, Act::Drains, Act::Dead], 100, |settings| {
        settings.pipelines = steady().into();
        settings.fleet.health.panic_percent = 100;
        settings.fleet.health.open_for = 30 * SECOND;
    });
    while rig.availability("c") != Availability::Down {
        sleep(SECOND / 10).await;
    }
    for _ in 0..10 {
        rig.ask().await.expect_err("all fail");
    }
    let is_open = |name| rig.availability(name) == Availability::Open;
    assert!(is_open("a") && is_open("b"));
    assert!(rig.router.fleet().panics() > 0);
    let tried = ["a", "b"].map(|name| engines.named(name).sent.load(SeqCst));
    assert!(tried.iter().all(|&sent| sent >= 5), "{tried:?}");
    assert_eq!(
        engines.named("c").sent.load(SeqCst),
        0,
        "it is known to be gone"
    );
    engines.named("b").set(Act::Serve);
    rig.ask().await.expect("though its breaker was open");
    assert_eq!(rig.availability("b"), Availability::Up);
    sleep(Duration::from_millis(1)).await;
}
