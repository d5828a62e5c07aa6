//! Addresses that the router binds and engines connect to.

use std::{net::SocketAddr, time::Duration};

use gateway_router::{
    core::kvfeed::FeedTrust,
    feed::{FeedSpec, KvEvents},
};

use super::rig::{
    at, compute, engine, free_port, prompt, route, router, settings, status, until, until_exact,
    until_known,
};

#[tokio::test]
async fn engines_that_share_an_address_are_told_apart_by_topic() {
    let port = free_port();
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    let publish = |topic: &'static str| {
        engine(move |events| {
            (events.publish, events.connect) = (addr, true);
            events.topic = topic.to_owned();
        })
    };
    let (a, b) = (publish("one").await, publish("two").await);
    let mut settings = settings(&[&a, &b]);
    for ((endpoint, engine), topic) in settings
        .endpoints
        .iter_mut()
        .zip([&a, &b])
        .zip(["one", "two"])
    {
        let replay = engine.kv_events().and_then(|events| events.replay);
        endpoint.kv_events = KvEvents::At(FeedSpec {
            bind: true,
            topic: topic.to_owned(),
            replay: replay.map(|addr| at(addr.port())),
            ..FeedSpec::new(at(port))
        });
    }
    // What was before they could connect is asked for.
    compute(&a, &prompt(1, 6)).await;
    let router = router(settings);
    until_known(&router, "a", 6).await;
    compute(&a, &prompt(2, 3)).await;
    compute(&b, &prompt(3, 3)).await;
    // Messages sent before the connection stood are missed; later ones show that.
    for name in 10.. {
        compute(&a, &prompt(name, 1)).await;
        compute(&b, &prompt(name + 10_000, 1)).await;
        let known = |name| status(&router, name).stats.blocks;
        if known("a") > 9 && known("b") > 3 {
            break;
        }
        assert!(name < 2_000, "{:?}", router.feeds());
    }
    until_exact(&router, "a").await;
    until_exact(&router, "b").await;
    assert_eq!(route(&router, &prompt(1, 6)).await, "a");
    assert_eq!(route(&router, &prompt(2, 3)).await, "a");
    assert_eq!(route(&router, &prompt(3, 3)).await, "b");
}

/// Probes would find out too, but later and not at all where the engine is up again by then.
#[tokio::test]
async fn an_engine_that_leaves_is_noticed_where_the_router_listens() {
    let port = free_port();
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    let connecting = || engine(|events| (events.publish, events.connect) = (addr, true));
    let (a, b) = (connecting().await, engine(|_| {}).await);
    let mut settings = settings(&[&a, &b]);
    settings.watch.probe_every = Duration::from_secs(3_600);
    settings.watch.telemetry_every = Duration::from_secs(3_600);
    settings.endpoints[0].kv_events = KvEvents::At(FeedSpec {
        bind: true,
        ..FeedSpec::new(at(port))
    });
    let router = router(settings);
    for name in 10.. {
        compute(&a, &prompt(name, 1)).await;
        if status(&router, "a").stats.blocks > 0 {
            break;
        }
    }
    assert_eq!(status(&router, "a").connected, 1);
    a.shutdown().await;
    until(&router, "a", |feed| feed.connected == 0).await;
    let feed = status(&router, "a");
    assert_eq!((feed.trust, feed.stats.blocks), (FeedTrust::Fallback, 0));
    // Another one in its place is heard.
    let again = connecting().await;
    for name in 10.. {
        compute(&again, &prompt(name, 1)).await;
        if status(&router, "a").connected == 1 {
            break;
        }
    }
    until(&router, "a", |feed| feed.stats.blocks > 0).await;
}
