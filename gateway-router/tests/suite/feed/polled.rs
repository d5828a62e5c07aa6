//! Engines that keep their events until they are asked for them.

use std::time::Duration;

use gateway_router::{
    EngineKind, RouterSettings,
    core::kvfeed::{FeedTrust, Weakness},
};
use gateway_sim::engine::{
    FaultKind, FaultSpec, Flavour, KvEventsConfig, RunningEngine, SimConfig,
};

use super::rig::{
    compute, miss_a_batch, prompt, route, router, status, until, until_exact, until_known,
};
use crate::common::sim;

async fn engine(change: impl FnOnce(&mut SimConfig)) -> RunningEngine {
    sim::start_with(|config| {
        config.flavour = Flavour::Trtllm;
        config.kv_events = Some(KvEventsConfig::new("m"));
        change(config);
    })
    .await
}

fn settings(engines: &[&RunningEngine]) -> RouterSettings {
    let mut settings = super::rig::settings(engines);
    for endpoint in &mut settings.endpoints {
        endpoint.kind = EngineKind::TensorRtLlm;
    }
    settings.feeds.poll_every = Duration::from_millis(5);
    settings
}

#[tokio::test]
async fn a_prompt_goes_where_events_say_it_is() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let router = router(settings(&[&a, &b]));
    until_exact(&router, "a").await;
    until_exact(&router, "b").await;
    let (first, second) = (prompt(1, 6), prompt(2, 4));
    compute(&a, &first).await;
    compute(&b, &second).await;
    until_known(&router, "a", 6).await;
    until_known(&router, "b", 4).await;
    assert_eq!(route(&router, &first).await, "a");
    assert_eq!(route(&router, &second).await, "b");
    assert_eq!(route(&router, &prompt(3, 6)).await, "b", "nobody's");
    a.reset_prefix_cache();
    compute(&a, &second).await;
    // The first prompt is gone, the second one is there.
    until_known(&router, "a", 4).await;
    assert_eq!(route(&router, &first).await, "b");
    assert_eq!(status(&router, "a").trust, FeedTrust::Exact);
}

#[tokio::test]
async fn a_gap_costs_what_was_known_and_a_new_process_is_known_wholly() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let router = router(settings(&[&a, &b]));
    miss_a_batch(&router, &a).await;
    assert_eq!(route(&router, &prompt(3, 4)).await, "a", "told behind it");
    assert_eq!(route(&router, &prompt(1, 4)).await, "b", "may be gone");
    a.inject(FaultSpec::new(FaultKind::RestartKvFeed));
    until_exact(&router, "a").await;
    let feed = status(&router, "a");
    assert_eq!((feed.stats.blocks, feed.stats.restarts), (0, 1));
    assert_eq!(route(&router, &prompt(3, 4)).await, "b");
}

#[tokio::test]
async fn what_happened_before_anybody_asked_is_known_as_far_as_the_buffer_reaches() {
    let whole = engine(|_| {}).await;
    let short = engine(|config| {
        let events = config.kv_events.as_mut().expect("set above");
        events.buffer_steps = 2;
    })
    .await;
    for name in 0..4 {
        compute(&whole, &prompt(name, 3)).await;
        compute(&short, &prompt(name, 3)).await;
    }
    let router = router(settings(&[&whole, &short]));
    until_exact(&router, "a").await;
    assert_eq!(status(&router, "a").stats.blocks, 12);
    let resynced = FeedTrust::Degraded(Weakness::Resynced);
    until(&router, "b", |feed| feed.trust == resynced).await;
    assert_eq!(status(&router, "b").stats.blocks, 6);
    assert!(short.stats().kv_batches_dropped > 0);
}

#[tokio::test]
async fn ranks_are_told_apart_by_their_events() {
    let (a, b) = (
        engine(|config| config.dp_ranks = 2).await,
        engine(|_| {}).await,
    );
    let router = router(settings(&[&a, &b]));
    until_exact(&router, "a").await;
    let feed = status(&router, "a");
    assert_eq!((feed.sources, feed.connected), (2, 2));
    for name in 1..9 {
        compute(&a, &prompt(name, 3)).await;
    }
    until_known(&router, "a", 24).await;
    for name in 1..9 {
        assert_eq!(route(&router, &prompt(name, 3)).await, "a");
    }
}

#[tokio::test]
async fn an_engine_that_keeps_none_or_dies_is_guessed() {
    let (a, b) = (
        engine(|config| config.kv_events = None).await,
        engine(|_| {}).await,
    );
    let router = router(settings(&[&a, &b]));
    until_exact(&router, "b").await;
    until(&router, "a", |feed| feed.sources == 1).await;
    assert_eq!(status(&router, "a").trust, FeedTrust::Fallback);
    compute(&b, &prompt(1, 3)).await;
    until_known(&router, "b", 3).await;
    b.shutdown().await;
    until(&router, "b", |feed| feed.trust == FeedTrust::Fallback).await;
    assert_eq!(status(&router, "b").stats.blocks, 0);
    assert_eq!(route(&router, &prompt(1, 3)).await, "a");
}
