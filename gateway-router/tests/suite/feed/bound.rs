//! Addresses that the router binds and engines connect to.

use std::net::SocketAddr;

use gateway_router::feed::{FeedSpec, KvEvents};

use super::rig::{
    at, compute, engine, free_port, prompt, route, router, settings, status, until_exact,
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
