//! Feeds that fall behind, and feeds that have much to tell.

use std::time::Duration;

use gateway_router::{
    core::kvfeed::{FeedTrust, Weakness},
    feed::FeedStatus,
};
use gateway_sim::engine::{FaultKind, FaultSpec};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    publisher::{Publisher, removed, stored, with_ranks},
    rig::{
        compute, engine, prompt, route, router, settings, status, until, until_exact, until_known,
    },
};

const LATE: FeedTrust = FeedTrust::Degraded(Weakness::Late);

fn lag(feed: &FeedStatus) -> f64 {
    feed.stats.lag_secs.expect("it has spoken")
}

#[tokio::test]
async fn a_publisher_that_is_late_is_trusted_less_until_it_has_caught_up() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let mut settings = settings(&[&a, &b]);
    settings.feeds.lag_at_most = Duration::from_millis(700);
    let router = router(settings);
    until_exact(&router, "a").await;
    compute(&a, &prompt(1, 4)).await;
    until_known(&router, "a", 4).await;
    assert_eq!(status(&router, "a").trust, FeedTrust::Exact);
    let late = FaultSpec::new(FaultKind::LateKvBatch);
    a.inject(late.times(1).of_millis(1_500));
    compute(&a, &prompt(2, 4)).await;
    until(&router, "a", |feed| feed.trust == LATE).await;
    assert!(lag(&status(&router, "a")) > 0.7);
    // Late or not, it is true.
    assert_eq!(route(&router, &prompt(2, 4)).await, "a");
    // The next one is in time.
    compute(&a, &prompt(3, 4)).await;
    until_known(&router, "a", 12).await;
    until_exact(&router, "a").await;
    assert!(lag(&status(&router, "a")) < 0.7);
}

#[tokio::test]
async fn a_late_feed_that_falls_silent_has_nothing_left_to_tell() {
    let (a, b) = (engine(|_| {}).await, engine(|_| {}).await);
    let mut settings = settings(&[&a, &b]);
    settings.feeds.lag_at_most = Duration::from_millis(700);
    let router = router(settings);
    until_exact(&router, "a").await;
    // Clocks are compared by what came before.
    compute(&a, &prompt(1, 4)).await;
    until_known(&router, "a", 4).await;
    a.inject(
        FaultSpec::new(FaultKind::LateKvBatch)
            .times(1)
            .of_millis(1_500),
    );
    compute(&a, &prompt(2, 4)).await;
    until(&router, "a", |feed| feed.trust == LATE).await;
    until_exact(&router, "a").await;
    assert!(lag(&status(&router, "a")) < 0.7);
}

/// Ten times what a busy engine says, for two seconds, as its cache turns over: what is held stays what the engine holds,
/// and requests go on.
#[tokio::test]
async fn ten_times_the_rate_is_kept_up_with_in_bounded_space() {
    const TICKS: u64 = 200;
    const A_TICK: u64 = 10;
    const BLOCKS: usize = 32;
    /// Prompts that the engine has room for.
    const HELD: u64 = 64;
    let mut rank = Publisher::at(0).await.expect("a free port");
    let (_a, _b, router) = with_ranks(rank.port, 1).await;
    rank.greet(&router, |r| status(r, "a").stats.batches > 0)
        .await;
    let before = status(&router, "a").stats;
    let held = usize::try_from(HELD).expect("small") * BLOCKS;
    let first = |name: u64| 1_000 + name * BLOCKS as u64;
    let name = |number: u64| prompt(u32::try_from(number).expect("small"), BLOCKS);
    let mut ticks = interval(Duration::from_millis(10));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0..TICKS * A_TICK {
        if number % A_TICK == 0 {
            ticks.tick().await;
            route(&router, &prompt(99_999, 2)).await;
            assert!(status(&router, "a").stats.blocks <= held + BLOCKS);
        }
        let mut events = vec![stored(first(number), &name(number), "GPU")];
        if let Some(oldest) = number.checked_sub(HELD) {
            let gone: Vec<u64> = (first(oldest)..first(oldest + 1)).collect();
            events.insert(0, removed(&gone, "GPU"));
        }
        rank.send(&json!(events)).await;
    }
    let all = TICKS * A_TICK * BLOCKS as u64;
    until(&router, "a", |feed| feed.stats.stored == all).await;
    until_known(&router, "a", held).await;
    until_exact(&router, "a").await;
    let feed = status(&router, "a").stats;
    assert_eq!((feed.gaps, feed.orphans, feed.refused), (before.gaps, 0, 0));
    assert_eq!(route(&router, &name(TICKS * A_TICK - 1)).await, "a");
    assert_eq!(route(&router, &name(0)).await, "b");
}
