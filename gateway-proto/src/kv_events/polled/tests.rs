//! A transcript written after the serializer, and damage.

use gateway_core::kvfeed::{
    EngineHash, FeedConfig, FeedStep, FeedTracker, FeedTrust, KvBatch, KvEvent, KvSink, Tier,
    Weakness, token_seed,
};
use gateway_core::{BlockHash, EndpointId, hash};
use serde_json::{Value, json};

use super::{Polled, PolledError, PolledRank};

/// A cache of one window: two full blocks and a partial one, an offload and its way back, a removal.
const TRANSCRIPT: &str = include_str!("../../../testdata/kv_events/trtllm-spec.json");

#[derive(Default)]
struct Held(Vec<(Tier, BlockHash)>);

impl KvSink for Held {
    fn stored(&mut self, _: EndpointId, tier: Tier, _: Option<BlockHash>, blocks: &[BlockHash]) {
        self.0.extend(blocks.iter().map(|block| (tier, *block)));
    }
    fn removed(&mut self, _: EndpointId, tier: Tier, blocks: &[BlockHash]) {
        self.0
            .retain(|(at, held)| *at != tier || !blocks.contains(held));
    }
    fn cleared(&mut self, _: EndpointId) {
        self.0.clear();
    }
}

struct Rig {
    rank: PolledRank,
    tracker: FeedTracker,
    held: Held,
}

impl Rig {
    fn new() -> Self {
        let config = FeedConfig {
            block_tokens: 4,
            ..FeedConfig::default()
        };
        Self {
            rank: PolledRank::new(),
            tracker: FeedTracker::new(EndpointId(0), &config),
            held: Held::default(),
        }
    }

    fn take(&mut self, body: &str) {
        let answer = Polled::parse(body.as_bytes()).unwrap();
        assert_eq!(answer.unreadable, 0);
        for event in &answer.events {
            let mut batch = KvBatch::new();
            if self.rank.read(event, None, &mut batch).is_err() {
                self.tracker.undecodable(event.seq, &mut self.held);
                continue;
            }
            let step = self.tracker.live(event.seq, &batch, 0.0, &mut self.held);
            if let FeedStep::Replay { .. } = step {
                let _ = self.tracker.replay_failed(&mut self.held);
            }
        }
    }

    fn held(&self, tier: Tier) -> Vec<BlockHash> {
        let there = self.held.0.iter().filter(|(at, _)| *at == tier);
        there.map(|(_, hash)| *hash).collect()
    }
}

/// The router's own keys of a prompt.
fn keys(tokens: &[u32]) -> Vec<BlockHash> {
    let mut keys = Vec::new();
    hash::hash_tokens(token_seed(b"", b""), tokens, 4, &mut keys);
    keys
}

fn stored(seq: u64, window: u32, parent: Option<u64>, blocks: &[(u64, &[u32])]) -> Value {
    let token = |id: &u32| json!({"type": "unique_token", "token_id": id, "token_extra_id": 0});
    let block = |(hash, ids): &(u64, &[u32])| {
        let tokens: Vec<_> = ids.iter().map(token).collect();
        json!({"type": "stored_block", "block_hash": hash, "tokens": tokens, "cache_level": 0, "priority": 35})
    };
    let blocks: Vec<_> = blocks.iter().map(block).collect();
    let data = json!({"type": "stored", "parent_hash": parent, "blocks": blocks});
    json!({"event_id": seq, "data": data, "window_size": window})
}

fn created(seq: u64, window: u32) -> Value {
    let data = json!({"type": "created", "num_blocks_per_cache_level": [64, 8]});
    json!({"event_id": seq, "data": data, "window_size": window})
}

fn list(events: &[Value]) -> String {
    json!(events).to_string()
}

#[test]
fn a_transcript_is_followed_from_level_to_level() {
    let whole = keys(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    let mut rig = Rig::new();
    let events: Vec<Value> = serde_json::from_str(TRANSCRIPT).unwrap();
    let upto = |rig: &mut Rig, range: std::ops::Range<usize>| rig.take(&list(&events[range]));
    upto(&mut rig, 0..2);
    // Two full blocks of four and two tokens of a third, which are no own block.
    assert_eq!(rig.held(Tier::Device), whole[..2]);
    upto(&mut rig, 2..3);
    assert_eq!(rig.held(Tier::Device), whole[..3], "the third is full now");
    upto(&mut rig, 3..4);
    assert_eq!(
        (rig.held(Tier::Device), rig.held(Tier::Host)),
        (whole[..2].to_vec(), whole[2..].to_vec())
    );
    upto(&mut rig, 4..5);
    assert_eq!(rig.held(Tier::Host), [], "taken from where it was");
    upto(&mut rig, 5..7);
    assert_eq!(
        rig.held(Tier::Device),
        whole[..1],
        "a priority means nothing here"
    );
    assert_eq!(rig.tracker.trust(), FeedTrust::Exact);
    let stats = rig.tracker.stats();
    assert_eq!(
        (stats.events, stats.orphans, stats.unknown_removed),
        (8, 0, 0)
    );
    assert_eq!(stats.unknown_events, 0);
}

#[test]
fn a_gap_drops_what_was_known_and_an_earlier_number_is_a_new_process() {
    let mut rig = Rig::new();
    let first = stored(1, 4096, None, &[(7, &[1, 2, 3, 4])]);
    rig.take(&list(&[created(0, 4096), first.clone()]));
    assert_eq!(rig.held(Tier::Device).len(), 1);
    rig.take(&list(&[stored(3, 4096, None, &[(8, &[5, 6, 7, 8])])]));
    assert_eq!(rig.held(Tier::Device), keys(&[5, 6, 7, 8]));
    assert_eq!(rig.tracker.trust(), FeedTrust::Degraded(Weakness::Resynced));
    rig.take(&list(&[created(0, 4096), first]));
    assert_eq!(rig.held(Tier::Device), keys(&[1, 2, 3, 4]));
    assert_eq!(
        (rig.tracker.trust(), rig.tracker.stats().restarts),
        (FeedTrust::Exact, 1)
    );
}

#[test]
fn who_comes_late_knows_that_not_all_is_known() {
    let mut rig = Rig::new();
    rig.take("[]");
    assert_eq!(rig.tracker.trust(), FeedTrust::Fallback);
    rig.take(&list(&[stored(9, 4096, None, &[(7, &[1, 2, 3, 4])])]));
    assert_eq!(rig.tracker.trust(), FeedTrust::Degraded(Weakness::Resynced));
}

#[test]
fn the_greatest_window_alone_tells_of_prefixes() {
    let mut rig = Rig::new();
    let short = stored(2, 128, None, &[(7, &[1, 2, 3, 4])]);
    let long = stored(3, 4096, None, &[(9, &[5, 6, 7, 8])]);
    rig.take(&list(&[created(0, 128), created(1, 4096), short, long]));
    assert_eq!(rig.held(Tier::Device), keys(&[5, 6, 7, 8]));
    assert_eq!(
        (rig.tracker.trust(), rig.tracker.stats().ignored_groups),
        (FeedTrust::Exact, 1)
    );
    // Its removal is no business of the others' either.
    let gone = json!({"event_id": 4, "window_size": 128, "data": {"type": "removed", "block_hashes": [9]}});
    rig.take(&list(&[gone]));
    assert_eq!(rig.held(Tier::Device).len(), 1);

    let mut late = Rig::new();
    let short = stored(0, 128, None, &[(7, &[1, 2, 3, 4])]);
    late.take(&list(&[
        short,
        stored(1, 4096, None, &[(9, &[5, 6, 7, 8])]),
    ]));
    assert_eq!(
        late.held(Tier::Device),
        [],
        "what was taken for prefixes was none"
    );
    assert_eq!(
        late.tracker.trust(),
        FeedTrust::Degraded(Weakness::Resynced)
    );
}

#[test]
fn what_an_id_does_not_say_makes_another_block() {
    let mut with_image = stored(1, 4096, None, &[(7, &[1, 2, 3, 4])]);
    with_image["data"]["blocks"][0]["tokens"][1]["token_extra_id"] = json!(77);
    let mut rig = Rig::new();
    rig.take(&list(&[created(0, 4096), with_image]));
    let held = rig.held(Tier::Device);
    assert_eq!(held.len(), 1);
    assert_ne!(held, keys(&[1, 2, 3, 4]));
}

#[test]
fn hashes_are_names_of_any_kind() {
    let names = [json!(u64::MAX), json!(-3), json!("9f".repeat(32))];
    for name in &names {
        let mut event = stored(0, 4096, None, &[(7, &[1, 2, 3, 4])]);
        event["data"]["blocks"][0]["block_hash"] = name.clone();
        let gone = json!({"event_id": 1, "data": {"type": "removed", "block_hashes": [name]}});
        let mut rig = Rig::new();
        rig.take(&list(&[event]));
        assert_eq!(rig.held(Tier::Device).len(), 1, "{name}");
        rig.take(&list(&[gone]));
        assert_eq!(rig.held(Tier::Device), [], "{name}");
    }
    let answer = list(&[stored(0, 1, None, &[(u64::MAX, &[1])])]);
    let answer = Polled::parse(answer.as_bytes()).unwrap();
    let mut batch = KvBatch::new();
    PolledRank::new()
        .read(&answer.events[0], None, &mut batch)
        .unwrap();
    let Some(KvEvent::Stored(told)) = batch.events().next() else {
        panic!("a store");
    };
    assert_eq!(told.hashes, [EngineHash(u64::MAX)]);
}

#[test]
fn unknown_kinds_are_counted_and_odd_data_is_an_error() {
    let entries = json!([{"event_id": 0, "data": {"type": "moved"}}, {"event_id": 1, "data": {"type": "stored"}},
        {"data": {}}, 7, {"event_id": 2, "data": {"type": "removed", "block_hashes": [1.5]}}, {"event_id": 3, "data": []}]);
    let text = entries.to_string();
    let answer = Polled::parse(text.as_bytes()).unwrap();
    assert_eq!((answer.events.len(), answer.unreadable), (4, 2));
    let (mut rank, mut batch) = (PolledRank::new(), KvBatch::new());
    let mut outcomes = Vec::new();
    for event in &answer.events {
        outcomes.push(
            rank.read(event, None, &mut batch)
                .map(|()| batch.unknown_events()),
        );
    }
    assert!(matches!(
        outcomes[..],
        [
            Ok(1),
            Err(PolledError::Json(_)),
            Err(PolledError::Json(_)),
            Err(PolledError::Json(_))
        ]
    ));
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    for odd in ["", "{}", "null", "[", r#"{"error":"off"}"#, "[1,]"] {
        assert!(Polled::parse(odd.as_bytes()).is_err(), "{odd}");
    }
    let mut batch = KvBatch::new();
    for cut in 0..TRANSCRIPT.len() {
        let mut damaged = TRANSCRIPT.as_bytes().to_vec();
        damaged[cut] = damaged[cut].wrapping_add(1);
        for body in [&TRANSCRIPT.as_bytes()[..cut], &damaged] {
            let Ok(answer) = Polled::parse(body) else {
                continue;
            };
            let mut rank = PolledRank::new();
            for event in &answer.events {
                let _ = rank.read(event, None, &mut batch);
            }
        }
    }
}
