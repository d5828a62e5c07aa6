//! Engines without events: how much of what was sent there is remembered, and for how long.

use std::time::Duration;

use gateway_router::{Router, feed::KvEvents};
use gateway_sim::engine::RunningEngine;
use tokio::time::{sleep, timeout};

use super::rig::{BLOCK, prompt, route, router, settings};
use crate::common::sim;

/// Blocks that the engine has room for.
const ROOM: u32 = 64;

async fn small_engine() -> RunningEngine {
    sim::start_with(|config| {
        config.engine.kv_blocks = ROOM;
        config.engine.max_model_tokens = 512;
        config.engine.block_tokens = u32::try_from(BLOCK).expect("small");
    })
    .await
}

async fn until_own(router: &Router, is: impl Fn(u64) -> bool) {
    let own = || router.fleet().residency().stats().own_blocks;
    let waited = timeout(Duration::from_secs(60), async {
        while !is(own()) {
            sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "{} blocks", own());
}

#[tokio::test]
async fn no_more_is_remembered_than_the_engine_has_room_for() {
    let engine = small_engine().await;
    let mut settings = settings(&[&engine]);
    settings.watch.telemetry_every = Duration::from_millis(50);
    settings.endpoints[0].kv_events = KvEvents::Off;
    let router = router(settings);
    for name in 0..20 {
        route(&router, &prompt(name, 10)).await;
    }
    until_own(&router, |own| own <= ROOM.into()).await;
    // And it stays so. What was used last is what remains.
    for name in 20..40 {
        route(&router, &prompt(name, 10)).await;
    }
    until_own(&router, |own| own == u64::from(ROOM)).await;
}

#[tokio::test]
async fn what_is_too_old_is_forgotten_where_no_request_comes() {
    let engine = small_engine().await;
    let mut settings = settings(&[&engine]);
    settings.watch.telemetry_every = Duration::from_millis(50);
    settings.endpoints[0].kv_events = KvEvents::Off;
    settings.fleet.residency.age_limit = Duration::from_millis(200);
    let router = router(settings);
    route(&router, &prompt(1, 10)).await;
    until_own(&router, |own| own == 0).await;
}
