//! Publishers that a test plays itself.

use bytes::Bytes;
use gateway_router::{
    Router,
    feed::{FeedSpec, KvEvents},
};
use gateway_sim::engine::RunningEngine;
use serde_json::{Value, json};
use zeromq::{PubSocket, Socket, SocketSend, ZmqMessage};

use super::rig::{BLOCK, at, router, settings};
use crate::common::sim;

/// One rank.
pub(super) struct Publisher {
    socket: PubSocket,
    pub(super) port: u16,
    /// The rank that its messages name.
    pub(super) rank: u32,
    next: u64,
}

impl Publisher {
    pub(super) async fn at(port: u16) -> Option<Self> {
        let mut socket = PubSocket::new();
        let bound = socket.bind(&format!("tcp://127.0.0.1:{port}")).await.ok()?;
        let zeromq::Endpoint::Tcp(_, port) = bound else {
            panic!("bound to TCP");
        };
        Some(Self {
            socket,
            port,
            rank: 0,
            next: 0,
        })
    }

    /// Two ranks at ports that follow one another.
    pub(super) async fn pair() -> [Self; 2] {
        loop {
            let first = Self::at(0).await.expect("a free port");
            if let Some(second) = Self::at(first.port.wrapping_add(1)).await {
                return [first, second];
            }
        }
    }

    /// Publishes until somebody has heard: a subscription takes a moment to arrive.
    pub(super) async fn greet(&mut self, router: &Router, heard: impl Fn(&Router) -> bool) {
        while !heard(router) {
            self.send(&json!([{"type": "AllBlocksCleared"}])).await;
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    pub(super) async fn send(&mut self, events: &Value) {
        let batch = rmp_serde::to_vec(&(now(), events, self.rank)).expect("it encodes");
        self.send_raw(batch).await;
    }

    pub(super) async fn send_raw(&mut self, payload: Vec<u8>) {
        let seq = self.next.to_be_bytes().to_vec();
        self.next += 1;
        self.send_frames([b"kv".to_vec(), seq, payload]).await;
    }

    pub(super) async fn send_frames<const N: usize>(&mut self, frames: [Vec<u8>; N]) {
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
pub(super) fn stored(first: u64, prompt: &[u32], medium: &str) -> Value {
    let blocks = prompt.len() / BLOCK;
    let hashes: Vec<u64> = (first..first + blocks as u64).collect();
    json!({
        "type": "BlockStored", "block_hashes": hashes, "parent_block_hash": null,
        "token_ids": prompt[..blocks * BLOCK], "block_size": BLOCK, "lora_id": null, "medium": medium,
    })
}

pub(super) fn removed(hashes: &[u64], medium: &str) -> Value {
    json!({ "type": "BlockRemoved", "block_hashes": hashes, "medium": medium })
}

/// The two ranks of one engine as endpoints `a` and `b`, whose events come from `ports` on.
pub(super) async fn of_two_ranks(ports: u16) -> (RunningEngine, Router) {
    let engine = sim::start_with(|config| config.dp_ranks = 2).await;
    let mut settings = settings(&[&engine, &engine]);
    for (endpoint, rank) in settings.endpoints.iter_mut().zip(0..) {
        endpoint.target = endpoint.target.with_rank(rank);
        endpoint.kv_events = KvEvents::At(FeedSpec {
            ranks: 2,
            ..FeedSpec::new(at(ports))
        });
    }
    (engine, router(settings))
}

/// Two engines, the first one's events from ports of the test.
pub(super) async fn with_ranks(ports: u16, ranks: u32) -> (RunningEngine, RunningEngine, Router) {
    let (a, b) = (sim::start().await, sim::start().await);
    let mut settings = settings(&[&a, &b]);
    settings.endpoints[0].kv_events = KvEvents::At(FeedSpec {
        ranks,
        ..FeedSpec::new(at(ports))
    });
    (a, b, router(settings))
}
