//! Feeds that go away and come back.

use gateway_router::{
    core::kvfeed::FeedTrust,
    feed::{FeedSpec, KvEvents},
};
use gateway_sim::engine::SimConfig;

use super::rig::{
    at, compute, engine, free_port, prompt, route, router, settings, until, until_exact,
    until_known,
};
use crate::common::sim;

#[tokio::test]
async fn an_engine_that_dies_and_comes_back_holds_nothing() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let (addr, events) = (a.addr(), a.kv_events().expect("it publishes").clone());
    let router = router(settings(&[&a, &b]));
    until_exact(&router, "a").await;
    compute(&a, &prompt(1, 6)).await;
    until_known(&router, "a", 6).await;
    a.shutdown().await;
    until(&router, "a", |feed| feed.trust == FeedTrust::Fallback).await;
    assert_eq!(route(&router, &prompt(1, 6)).await, "b");
    let again = sim::start_with(|config: &mut SimConfig| {
        config.listen = addr;
        config.kv_events = Some(events);
    })
    .await;
    until_exact(&router, "a").await;
    compute(&again, &prompt(2, 6)).await;
    until_known(&router, "a", 6).await;
    until(&router, "a", |feed| feed.connects >= 2).await;
    let fleet = router.fleet();
    let state = fleet.by_name("a").expect("listed").state();
    while !state.availability(router.clock().now()).is_up() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(route(&router, &prompt(2, 6)).await, "a");
}

#[tokio::test]
async fn without_a_feed_the_router_knows_what_it_sent_itself() {
    let (a, b) = (sim::start().await, sim::start().await);
    let mut settings = settings(&[&a, &b]);
    // Nobody publishes at one, and the other one is asked and names no source.
    let nowhere = FeedSpec::new(at(free_port()));
    settings.endpoints[0].kv_events = KvEvents::At(nowhere);
    let router = router(settings);
    compute(&a, &prompt(1, 6)).await;
    assert_eq!(
        route(&router, &prompt(1, 6)).await,
        "b",
        "nobody could know"
    );
    assert_eq!(route(&router, &prompt(1, 6)).await, "b");
    for name in ["a", "b"] {
        until(&router, name, |feed| feed.trust == FeedTrust::Fallback).await;
    }
}

/// A peer that speaks something else, or breaks off, neither stops a feed nor the router.
#[tokio::test]
async fn a_peer_that_is_no_publisher_is_tried_again() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let mut settings = settings(&[&a, &b]);
    let http = FeedSpec::new(at(b.addr().port()));
    settings.endpoints[0].kv_events = KvEvents::At(http);
    let router = router(settings);
    let events = a.kv_events().expect("it publishes");
    let right = FeedSpec {
        replay: events.replay.map(|addr| at(addr.port())),
        ..FeedSpec::new(at(events.publish.port()))
    };
    let mut fixed = super::rig::settings(&[&a, &b]);
    fixed.endpoints[0].kv_events = KvEvents::At(right);
    assert_eq!(route(&router, &prompt(9, 2)).await, "b");
    router.apply(fixed).expect("valid settings");
    until_exact(&router, "a").await;
    compute(&a, &prompt(1, 6)).await;
    until_known(&router, "a", 6).await;
    assert_eq!(route(&router, &prompt(1, 6)).await, "a");
}
