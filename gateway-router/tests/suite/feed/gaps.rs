//! Messages that are lost, and publishers that begin anew.

use std::time::Duration;

use gateway_sim::engine::{FaultKind, FaultSpec};

use super::rig::{
    compute, engine, miss_a_batch, prompt, route, router, settings, status, until, until_exact,
    until_known,
};

#[tokio::test]
async fn a_gap_is_filled_by_a_replay() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let router = router(settings(&[&a, &b]));
    until_exact(&router, "a").await;
    compute(&a, &prompt(1, 4)).await;
    until_known(&router, "a", 4).await;
    a.inject(FaultSpec::new(FaultKind::LoseKvBatch).times(3));
    for lost in 2..5 {
        compute(&a, &prompt(lost, 4)).await;
    }
    assert!(a.faults().is_empty(), "each prompt is one message");
    // The next message shows the gap.
    compute(&a, &prompt(5, 4)).await;
    until_known(&router, "a", 20).await;
    until_exact(&router, "a").await;
    let feed = status(&router, "a");
    assert_eq!((feed.stats.gaps, feed.stats.resyncs), (1, 0));
    for name in 1..6 {
        assert_eq!(route(&router, &prompt(name, 4)).await, "a");
    }
}

#[tokio::test]
async fn a_gap_that_stays_costs_trust_and_what_was_known_but_no_request() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let router = router(settings(&[&a, &b]));
    miss_a_batch(&router, &a).await;
    let feed = status(&router, "a");
    assert_eq!((feed.stats.gaps, feed.stats.resyncs), (1, 1));
    assert_eq!(
        route(&router, &prompt(3, 4)).await,
        "a",
        "told after the gap"
    );
    assert_eq!(
        route(&router, &prompt(1, 4)).await,
        "b",
        "may be evicted by now"
    );
    // It goes on.
    compute(&a, &prompt(4, 4)).await;
    until_known(&router, "a", 8).await;
    assert_eq!(route(&router, &prompt(4, 4)).await, "a");
}

#[tokio::test]
async fn a_gap_that_stays_leaves_what_the_router_knows_by_itself() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let mut settings = settings(&[&a, &b]);
    settings.fleet.residency.grace = Duration::from_secs(3_600);
    let router = router(settings);
    until_exact(&router, "a").await;
    compute(&a, &prompt(1, 4)).await;
    until_known(&router, "a", 4).await;
    // The router has sent this one there itself.
    assert_eq!(route(&router, &prompt(1, 8)).await, "a");
    until_known(&router, "a", 8).await;
    a.inject(FaultSpec::new(FaultKind::DropKvBatch).times(1));
    compute(&a, &prompt(2, 4)).await;
    compute(&a, &prompt(3, 4)).await;
    until(&router, "a", |feed| feed.stats.resyncs == 1).await;
    until_known(&router, "a", 4).await;
    assert_eq!(route(&router, &prompt(1, 8)).await, "a");
}

#[tokio::test]
async fn without_a_replay_socket_a_gap_stays() {
    let (a, b) = (
        engine(|events| events.replay = None).await,
        engine(|_| {}).await,
    );
    let router = router(settings(&[&a, &b]));
    // What comes before the subscription has arrived is lost.
    for name in 100.. {
        compute(&a, &prompt(name, 1)).await;
        if status(&router, "a").stats.batches > 0 {
            break;
        }
    }
    let before = status(&router, "a").stats.resyncs;
    a.inject(FaultSpec::new(FaultKind::LoseKvBatch).times(1));
    compute(&a, &prompt(2, 4)).await;
    compute(&a, &prompt(3, 4)).await;
    until(&router, "a", |feed| feed.stats.resyncs == before + 1).await;
    until_known(&router, "a", 4).await;
    assert_eq!(route(&router, &prompt(3, 4)).await, "a");
}

#[tokio::test]
async fn a_publisher_that_begins_anew_drops_what_it_had_told() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let router = router(settings(&[&a, &b]));
    until_exact(&router, "a").await;
    for name in 1..4 {
        compute(&a, &prompt(name, 4)).await;
    }
    until_known(&router, "a", 12).await;
    a.inject(FaultSpec::new(FaultKind::RestartKvFeed));
    compute(&a, &prompt(4, 4)).await;
    until(&router, "a", |feed| feed.stats.restarts == 1).await;
    until_known(&router, "a", 4).await;
    until_exact(&router, "a").await;
    assert_eq!(route(&router, &prompt(1, 4)).await, "b");
    assert_eq!(route(&router, &prompt(4, 4)).await, "a");
}
