//! Publishers that a test plays itself: ranks, odd messages, bursts.

use gateway_router::core::kvfeed::{FeedTrust, Weakness};
use serde_json::json;

use super::{
    publisher::{Publisher, of_two_ranks, removed, stored, with_ranks},
    rig::{prompt, route, status, until, until_exact, until_known},
};

#[tokio::test]
async fn two_ranks_are_one_endpoint() {
    let mut ranks = Publisher::pair().await;
    let (_a, _b, router) = with_ranks(ranks[0].port, 2).await;
    until(&router, "a", |feed| feed.connected == 2).await;
    let before = status(&router, "a").stats.batches;
    ranks[0]
        .greet(&router, |r| status(r, "a").stats.batches > before)
        .await;
    let between = status(&router, "a").stats.batches;
    // Both send the same number of messages or fewer, so what comes on top is the second one's.
    ranks[1]
        .greet(&router, |r| status(r, "a").stats.batches > between + 1)
        .await;
    let (both, one) = (prompt(1, 4), prompt(2, 4));
    ranks[0].send(&json!([stored(10, &both, "GPU")])).await;
    ranks[1]
        .send(&json!([stored(10, &both, "GPU"), stored(20, &one, "GPU")]))
        .await;
    until_known(&router, "a", 12).await;
    assert_eq!(route(&router, &both).await, "a");
    assert_eq!(route(&router, &one).await, "a");
    ranks[1]
        .send(&json!([removed(&[10, 11, 12, 13, 20, 21, 22, 23], "GPU")]))
        .await;
    until_known(&router, "a", 4).await;
    assert_eq!(route(&router, &both).await, "a", "the other rank holds it");
    assert_eq!(route(&router, &one).await, "b");
}

#[tokio::test]
async fn each_rank_that_is_an_endpoint_holds_what_it_tells_itself() {
    let mut ranks = Publisher::pair().await;
    let (_engine, router) = of_two_ranks(ranks[0].port).await;
    ranks[1].rank = 1;
    for (rank, name) in ranks.iter_mut().zip(["a", "b"]) {
        until(&router, name, |feed| feed.sources == 1).await;
        rank.greet(&router, |r| status(r, name).stats.batches > 0)
            .await;
    }
    let held = prompt(1, 4);
    ranks[1].send(&json!([stored(10, &held, "GPU")])).await;
    until_known(&router, "b", 4).await;
    assert_eq!(status(&router, "a").stats.blocks, 0);
    assert_eq!(route(&router, &held).await, "b");

    // Somebody sends all ranks the same way: what is not its own is no gap and nothing it holds.
    let other = prompt(2, 4);
    let gaps = status(&router, "a").stats.gaps;
    ranks[0].rank = 1;
    ranks[0].send(&json!([stored(20, &other, "GPU")])).await;
    ranks[0].rank = 0;
    let own = prompt(3, 4);
    ranks[0].send(&json!([stored(30, &own, "GPU")])).await;
    until_known(&router, "a", 4).await;
    let told = status(&router, "a");
    assert_eq!((told.of_others, told.stats.gaps), (1, gaps), "{told:?}");
    assert_eq!(route(&router, &own).await, "a");
    assert_eq!(status(&router, "b").of_others, 0);
}

#[tokio::test]
async fn a_block_in_a_lower_tier_is_there_still() {
    let mut rank = Publisher::at(0).await.expect("a free port");
    let (_a, _b, router) = with_ranks(rank.port, 1).await;
    rank.greet(&router, |r| status(r, "a").stats.batches > 0)
        .await;
    let (held, gone) = (prompt(1, 4), prompt(2, 4));
    for medium in ["GPU", "CPU"] {
        let both = [stored(10, &held, medium), stored(20, &gone, medium)];
        rank.send(&json!(both)).await;
    }
    let (on_gpu, on_cpu) = (
        removed(&[10, 11, 12, 13, 20, 21, 22, 23], "GPU"),
        removed(&[20, 21, 22, 23], "CPU"),
    );
    rank.send(&json!([on_gpu, on_cpu])).await;
    until(&router, "a", |feed| feed.stats.removed == 12).await;
    assert_eq!(route(&router, &held).await, "a");
    assert_eq!(route(&router, &gone).await, "b");
}

#[tokio::test]
async fn messages_that_cannot_be_read_cost_trust_and_nothing_else() {
    let mut rank = Publisher::at(0).await.expect("a free port");
    let (_a, _b, router) = with_ranks(rank.port, 1).await;
    rank.greet(&router, |r| status(r, "a").stats.batches > 0)
        .await;
    for junk in [
        &b"\xc1"[..],
        b"",
        b"\x93\xcb",
        b"\xdd\xff\xff\xff\xff",
        b"\x92\x01\xdf\xff\xff\xff\xff",
    ] {
        rank.send_raw(junk.to_vec()).await;
    }
    rank.send_frames([b"kv".to_vec(), b"x".to_vec()]).await;
    until(&router, "a", |feed| {
        feed.stats.decode_errors == 5 && feed.broken == 1
    })
    .await;
    assert!(matches!(
        status(&router, "a").trust,
        FeedTrust::Degraded(Weakness::Resynced)
    ));
    let held = prompt(1, 4);
    rank.send(&json!([stored(10, &held, "GPU")])).await;
    until_known(&router, "a", 4).await;
    assert_eq!(route(&router, &held).await, "a");
    rank.send(&json!([{"type": "AllBlocksCleared"}])).await;
    until_exact(&router, "a").await;
}

/// Far more than an engine ever sends, all at once: everything is taken in, and requests go on meanwhile.
#[tokio::test]
async fn a_burst_is_taken_in_beside_requests() {
    const BATCHES: u64 = 3_000;
    let mut rank = Publisher::at(0).await.expect("a free port");
    let (_a, _b, router) = with_ranks(rank.port, 1).await;
    rank.greet(&router, |r| status(r, "a").stats.batches > 0)
        .await;
    for batch in 0..BATCHES {
        let name = u32::try_from(batch).expect("small");
        rank.send(&json!([stored(100 + batch * 32, &prompt(name, 32), "GPU")]))
            .await;
    }
    for _ in 0..20 {
        route(&router, &prompt(99_999, 2)).await;
    }
    until(&router, "a", |feed| feed.stats.stored == BATCHES * 32).await;
    assert_eq!(route(&router, &prompt(2_999, 32)).await, "a");
    until_exact(&router, "a").await;
}
