//! Feeds that are found by asking, in every form that engines write.

use gateway_router::{EngineKind, core::kvfeed::FeedTrust, feed::KvEvents};
use gateway_sim::engine::{EventForm, Flavour, HashForm, KvEventsConfig};

use super::rig::{
    compute, engine, prompt, route, router, settings, status, until_exact, until_known,
};
use crate::common::sim;

#[tokio::test]
async fn a_prompt_goes_where_events_say_it_is() {
    for form in [EventForm::Map, EventForm::Array] {
        for hashes in [HashForm::Unsigned, HashForm::Signed, HashForm::Raw] {
            let a = engine(|events| (events.form, events.hashes) = (form, hashes)).await;
            let b = engine(|_| {}).await;
            let router = router(settings(&[&a, &b]));
            until_exact(&router, "a").await;
            until_exact(&router, "b").await;
            let (first, second) = (prompt(1, 6), prompt(2, 4));
            compute(&a, &first).await;
            compute(&b, &second).await;
            until_known(&router, "a", 6).await;
            until_known(&router, "b", 4).await;
            assert_eq!(route(&router, &first).await, "a", "{form:?} {hashes:?}");
            assert_eq!(route(&router, &second).await, "b", "{form:?} {hashes:?}");
            // The first half of a prompt is a prefix too; another first token makes it another prompt.
            assert_eq!(route(&router, &first[..3 * 16 + 1]).await, "a");
            assert_eq!(route(&router, &prompt(3, 6)).await, "b");
        }
    }
}

#[tokio::test]
async fn sglang_says_where_it_publishes() {
    let a = sim::start_with(|config| {
        config.flavour = Flavour::Sglang;
        let mut events = KvEventsConfig::new("m");
        events.hashes = HashForm::Signed;
        config.kv_events = Some(events);
    })
    .await;
    let b = engine(|_| {}).await;
    let mut settings = settings(&[&a, &b]);
    settings.endpoints[0].kind = EngineKind::Sglang;
    let router = router(settings);
    until_exact(&router, "a").await;
    compute(&a, &prompt(1, 6)).await;
    until_known(&router, "a", 6).await;
    assert_eq!(route(&router, &prompt(1, 6)).await, "a");
}

#[tokio::test]
async fn a_router_that_comes_late_asks_for_what_was_before() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let prompts: Vec<_> = (0..20).map(|name| prompt(name, 3)).collect();
    for one in &prompts {
        compute(&a, one).await;
    }
    let router = router(settings(&[&a, &b]));
    // Their second and third blocks are chained to different first ones.
    until_known(&router, "a", 60).await;
    until_exact(&router, "a").await;
    for one in &prompts {
        assert_eq!(route(&router, one).await, "a");
    }
    assert_eq!(status(&router, "a").stats.replays, 1);
}

#[tokio::test]
async fn a_cleared_cache_is_forgotten() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let router = router(settings(&[&a, &b]));
    until_exact(&router, "a").await;
    let (first, second) = (prompt(1, 6), prompt(2, 2));
    compute(&a, &first).await;
    until_known(&router, "a", 6).await;
    a.reset_prefix_cache();
    // As in vLLM, the clear travels with the next store.
    compute(&a, &second).await;
    until_known(&router, "a", 2).await;
    assert_eq!(route(&router, &first).await, "b");
    assert_eq!(route(&router, &second).await, "a");
    assert_eq!(status(&router, "a").trust, FeedTrust::Exact);
}

#[tokio::test]
async fn a_feed_that_is_switched_off_tells_nothing() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let mut settings = settings(&[&a, &b]);
    let on = settings.clone();
    for endpoint in &mut settings.endpoints {
        endpoint.kv_events = KvEvents::Off;
    }
    let router = router(settings.clone());
    compute(&a, &prompt(1, 6)).await;
    compute(&a, &prompt(2, 6)).await;
    assert!(router.feeds().is_empty());
    assert_eq!(route(&router, &prompt(1, 6)).await, "b");
    // A reload switches it on, and off again.
    router.apply(on).expect("valid settings");
    until_known(&router, "a", 12).await;
    assert_eq!(route(&router, &prompt(2, 6)).await, "a");
    router.apply(settings).expect("valid settings");
    assert!(router.feeds().is_empty());
}
