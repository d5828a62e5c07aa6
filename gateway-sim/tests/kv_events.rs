//! KV events as a subscriber receives them, and replay.

mod support;

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use gateway_sim::engine::{
    EventForm, FaultKind, FaultSpec, KvEventsConfig, RunningEngine, SimConfig,
};
use serde_json::{Value, json};
use support::*;
use tokio::time::timeout;
use zeromq::{DealerSocket, Socket, SocketRecv, SocketSend, SubSocket, ZmqMessage};

async fn engine_with(events: KvEventsConfig) -> RunningEngine {
    start(SimConfig {
        kv_events: Some(events),
        ..config()
    })
    .await
}

struct Subscriber(SubSocket);

impl Subscriber {
    /// Connects, and makes the engine publish until the subscription is known to have arrived.
    async fn new(engine: &RunningEngine) -> Self {
        let bound = engine.kv_events().expect("it publishes");
        let mut socket = SubSocket::new();
        socket
            .connect(&format!("tcp://{}", bound.publish))
            .await
            .expect("a publisher");
        socket.subscribe("kv@").await.expect("a subscription");
        let mut subscriber = Self(socket);
        let patience = Duration::from_millis(50);
        let mut attempt = 0;
        let last = loop {
            let mark = fill(engine, &format!("warm up {attempt}"), 1).await;
            attempt += 1;
            if timeout(patience, subscriber.wait_for(mark)).await.is_ok() {
                break fill(engine, "ready", 1).await;
            }
        };
        subscriber.wait_for(last).await;
        subscriber
    }

    /// Skips batches until the one with a block that starts with this token.
    async fn wait_for(&mut self, mark: u32) {
        let start_of_block = format!("[{mark},");
        while !self.next().await.1.to_string().contains(&start_of_block) {}
    }

    /// The next batch: its number and its payload.
    async fn next(&mut self) -> (u64, Value) {
        let frames = self.0.recv().await.expect("a batch").into_vec();
        assert_eq!(frames.len(), 3);
        assert_eq!(frames[0], "kv@localhost@demo");
        (
            number(&frames[1]),
            rmp_serde::from_slice(&frames[2]).expect("MessagePack"),
        )
    }
}

fn number(frame: &Bytes) -> u64 {
    u64::from_be_bytes(frame.as_ref().try_into().expect("eight bytes"))
}

/// A request with a prompt of so many blocks of its own; the token it starts with.
async fn fill(engine: &RunningEngine, name: &str, blocks: usize) -> u32 {
    let mark = 2_000
        + u32::from(
            name.bytes()
                .fold(0_u16, |sum, b| sum.wrapping_mul(31).wrapping_add(b.into())),
        );
    let mut prompt = vec![1_000; blocks * 16 + 1];
    prompt[0] = mark;
    let body = json!({"model": "demo", "prompt": prompt, "max_tokens": 1});
    assert_eq!(
        fetch(engine, post("/v1/completions", &body)).await.status,
        200
    );
    mark
}

/// Asks for all batches from `first` on: their numbers, and the payloads.
async fn replay(engine: &RunningEngine, first: u64) -> Vec<(u64, Bytes)> {
    let addr = engine
        .kv_events()
        .and_then(|bound| bound.replay)
        .expect("replay is on");
    let mut socket = DealerSocket::new();
    socket
        .connect(&format!("tcp://{addr}"))
        .await
        .expect("a replay socket");
    let ask = vec![Bytes::new(), Bytes::copy_from_slice(&first.to_be_bytes())];
    socket
        .send(ZmqMessage::try_from(ask).expect("two frames"))
        .await
        .expect("sent");
    let mut batches = Vec::new();
    loop {
        let frames = socket.recv().await.expect("an answer").into_vec();
        assert_eq!((frames.len(), frames[0].len()), (4, 0));
        if number(&frames[2]) == u64::MAX {
            assert!(frames[1].is_empty() && frames[3].is_empty());
            return batches;
        }
        assert_eq!(frames[1], "kv@localhost@demo");
        batches.push((number(&frames[2]), frames[3].clone()));
    }
}

#[derive(Default)]
struct Cache {
    stored: HashSet<u64>,
    removed: usize,
}

impl Cache {
    fn hear(&mut self, event: &Value) {
        match event["type"].as_str() {
            Some("BlockStored") => {
                let hashes = event["block_hashes"].as_array().expect("hashes");
                assert_eq!(
                    event["token_ids"].as_array().map(Vec::len),
                    Some(hashes.len() * 16)
                );
                assert_eq!(event["block_size"], 16);
                self.stored
                    .extend(hashes.iter().map(|hash| hash.as_u64().expect("unsigned")));
            }
            Some("BlockRemoved") => self.removed += 1,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_subscriber_hears_of_stores_evictions_and_clears() {
    let mut config = SimConfig {
        kv_events: Some(KvEventsConfig::new("demo")),
        ..config()
    };
    (config.engine.kv_blocks, config.engine.max_model_tokens) = (8, 128);
    let engine = start(config).await;
    let mut subscriber = Subscriber::new(&engine).await;
    let mut cache = Cache::default();
    let mut last = None;
    for round in 1..=3 {
        fill(&engine, &format!("round {round}"), 6).await;
        while cache.stored.len() < round * 6 {
            let (seq, payload) = subscriber.next().await;
            assert!(last.is_none_or(|last| seq == last + 1), "no gap");
            last = Some(seq);
            assert!(payload[0].as_f64().is_some_and(|ts| ts > 1e9) && payload[2] == 0);
            payload[1]
                .as_array()
                .expect("events")
                .iter()
                .for_each(|event| cache.hear(event));
        }
    }
    // Eight blocks hold the last eight of eighteen.
    assert!(cache.removed >= 10);

    assert_eq!(
        fetch(&engine, post("/reset_prefix_cache", &json!({})))
            .await
            .status,
        200
    );
    fill(&engine, "after", 1).await;
    let (_, payload) = subscriber.next().await;
    assert_eq!(payload[1][0], json!({"type": "AllBlocksCleared"}));
}

#[tokio::test]
async fn missed_batches_come_back_as_far_as_they_are_kept() {
    let engine = engine_with(KvEventsConfig {
        buffer_steps: 4,
        ..KvEventsConfig::new("demo")
    })
    .await;
    for round in 0..6 {
        fill(&engine, &format!("round {round}"), 1).await;
    }
    // The publisher's task may be a batch behind the reply.
    let numbers = loop {
        let numbers: Vec<u64> = replay(&engine, 0)
            .await
            .into_iter()
            .map(|(number, _)| number)
            .collect();
        if numbers.last() == Some(&5) {
            break numbers;
        }
    };
    assert_eq!(numbers, [2, 3, 4, 5], "the first is 0, and four are kept");
    let payloads = replay(&engine, 4).await;
    assert_eq!(payloads.len(), 2);
    let batch: Value = rmp_serde::from_slice(&payloads[0].1).expect("MessagePack");
    assert_eq!(batch[1][0]["type"], "BlockStored");
    assert!(replay(&engine, 1_000).await.is_empty());
    let sources = fetch(&engine, get("/kv_event_sources")).await.json();
    let bound = engine.kv_events().expect("it publishes");
    assert_eq!(sources["0"]["endpoint"], format!("tcp://{}", bound.publish));
}

#[tokio::test]
async fn a_lost_batch_leaves_a_gap_and_the_old_form_is_an_array() {
    let engine = engine_with(KvEventsConfig {
        form: EventForm::Array,
        ..KvEventsConfig::new("demo")
    })
    .await;
    let mut subscriber = Subscriber::new(&engine).await;
    fill(&engine, "before", 1).await;
    let (before, payload) = subscriber.next().await;
    assert_eq!(payload[1][0][0], "BlockStored");
    engine.inject(FaultSpec::new(FaultKind::DropKvBatch).times(1));
    fill(&engine, "lost", 1).await;
    fill(&engine, "after", 1).await;
    assert_eq!(subscriber.next().await.0, before + 2);
    assert_eq!(engine.stats().kv_batches_dropped, 1);
}
