//! Publishers that a test plays itself: ranks, odd messages, bursts.

use bytes::Bytes;
use gateway_router::{
    Router,
    core::kvfeed::{FeedTrust, Weakness},
    feed::{FeedSpec, KvEvents},
};
use gateway_sim::engine::RunningEngine;
use serde_json::{Value, json};
use zeromq::{PubSocket, Socket, SocketSend, ZmqMessage};

use super::rig::{
    BLOCK, at, prompt, route, router, settings, status, until, until_exact, until_known,
};
use crate::common::sim;

/// One rank.
struct Publisher {
    socket: PubSocket,
    port: u16,
    next: u64,
}

impl Publisher {
    async fn at(port: u16) -> Option<Self> {
        let mut socket = PubSocket::new();
        let bound = socket.bind(&format!("tcp://127.0.0.1:{port}")).await.ok()?;
        let zeromq::Endpoint::Tcp(_, port) = bound else {
            panic!("bound to TCP");
        };
        let next = 0;
        Some(Self { socket, port, next })
    }

    /// Two ranks at ports that follow one another.
    async fn pair() -> [Self; 2] {
        loop {
            let first = Self::at(0).await.expect("a free port");
            if let Some(second) = Self::at(first.port.wrapping_add(1)).await {
                return [first, second];
            }
        }
    }

    /// Publishes until somebody has heard: a subscription takes a moment to arrive.
    async fn greet(&mut self, router: &Router, heard: impl Fn(&Router) -> bool) {
        while !heard(router) {
            self.send(&json!([{"type": "AllBlocksCleared"}])).await;
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    async fn send(&mut self, events: &Value) {
        let batch = rmp_serde::to_vec(&(now(), events, 0)).expect("it encodes");
        self.send_raw(batch).await;
    }

    async fn send_raw(&mut self, payload: Vec<u8>) {
        let seq = self.next.to_be_bytes().to_vec();
        self.next += 1;
        self.send_frames([b"kv".to_vec(), seq, payload]).await;
    }

    async fn send_frames<const N: usize>(&mut self, frames: [Vec<u8>; N]) {
        let frames: Vec<Bytes> = frames.into_iter().map(Bytes::from).collect();
        let message = ZmqMessage::try_from(frames).expect("frames");
        self.socket.send(message).await.expect("sent");
    }
}

fn now() -> f64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
    since.expect("after 1970").as_secs_f64()
}

/// A store of a whole prompt, its blocks named from `first` on.
fn stored(first: u64, prompt: &[u32], medium: &str) -> Value {
    let blocks = prompt.len() / BLOCK;
    let hashes: Vec<u64> = (first..first + blocks as u64).collect();
    json!({
        "type": "BlockStored", "block_hashes": hashes, "parent_block_hash": null,
        "token_ids": prompt[..blocks * BLOCK], "block_size": BLOCK, "lora_id": null, "medium": medium,
    })
}

fn removed(hashes: &[u64], medium: &str) -> Value {
    json!({ "type": "BlockRemoved", "block_hashes": hashes, "medium": medium })
}

async fn with_ranks(ports: u16, ranks: u32) -> (RunningEngine, RunningEngine, Router) {
    let (a, b) = (sim::start().await, sim::start().await);
    let mut settings = settings(&[&a, &b]);
    settings.endpoints[0].kv_events = KvEvents::At(FeedSpec {
        ranks,
        ..FeedSpec::new(at(ports))
    });
    (a, b, router(settings))
}

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
