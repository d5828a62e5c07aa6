//! Fixtures made by hand, captures of real engines, and damage.

use gateway_core::kvfeed::{EngineHash, KvBatch, KvEvent, Mark, Origin, Tier, token_seed};

use super::{Frames, KvEventError, decode};

/// A batch of a store of two blocks, a removal and a clear, as msgspec encodes them up to vLLM 0.23.
const ARRAYS: &str = "93 cb3ff8000000000000 93
    99 ab426c6f636b53746f726564 920708 c0 9401020304 02 c0 a3475055 c0 c0
    93 ac426c6f636b52656d6f766564 9107 a3475055
    91 b0416c6c426c6f636b73436c6561726564
    00";

/// The same from vLLM 0.24 on.
const MAPS: &str = "93 cb3ff8000000000000 93
    88 a474797065 ab426c6f636b53746f726564
       ac626c6f636b5f686173686573 920708
       b1706172656e745f626c6f636b5f68617368 c0
       a9746f6b656e5f696473 9401020304
       aa626c6f636b5f73697a65 02
       a76c6f72615f6964 c0
       a66d656469756d a3475055
       a96c6f72615f6e616d65 c0
    83 a474797065 ac426c6f636b52656d6f766564 ac626c6f636b5f686173686573 9107 a66d656469756d a3475055
    81 a474797065 b0416c6c426c6f636b73436c6561726564
    00";

const CAPTURES: [&str; 3] = [
    include_str!("../../testdata/kv_events/vllm-0.32.0.jsonl"),
    include_str!("../../testdata/kv_events/sglang-0.5.23.jsonl"),
    include_str!("../../testdata/kv_events/dynamo-mocker-1.6.1.jsonl"),
];

pub(super) fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn read(payload: &[u8]) -> KvBatch {
    let mut batch = KvBatch::new();
    decode(payload, &mut batch).unwrap();
    batch
}

/// A batch of one event, written as JSON; `{"bin": "hex"}` stands for binary data.
fn event(event: &serde_json::Value) -> Vec<u8> {
    let mut out = vec![0x92, 0xc0, 0x91];
    pack(event, &mut out);
    out
}

fn pack(value: &serde_json::Value, out: &mut Vec<u8>) {
    use serde_json::Value;
    match value {
        Value::Null => out.push(0xc0),
        Value::Bool(flag) => out.push(0xc2 + u8::from(*flag)),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => drop(rmp::encode::write_uint(out, number)),
            (None, Some(number)) => drop(rmp::encode::write_sint(out, number)),
            _ => rmp::encode::write_f64(out, number.as_f64().unwrap()).unwrap(),
        },
        Value::String(text) => rmp::encode::write_str(out, text).unwrap(),
        Value::Array(items) => {
            rmp::encode::write_array_len(out, u32::try_from(items.len()).unwrap()).unwrap();
            items.iter().for_each(|item| pack(item, out));
        }
        Value::Object(members) => {
            if let Some(digest) = members.get("bin") {
                rmp::encode::write_bin(out, &bytes(digest.as_str().unwrap())).unwrap();
                return;
            }
            rmp::encode::write_map_len(out, u32::try_from(members.len()).unwrap()).unwrap();
            for (name, member) in members {
                rmp::encode::write_str(out, name).unwrap();
                pack(member, out);
            }
        }
    }
}

fn first_origin(batch: &KvBatch) -> Origin {
    match batch.events().next() {
        Some(KvEvent::Stored(stored)) => stored.origin,
        other => panic!("not a store: {other:?}"),
    }
}

fn hashes(batch: &KvBatch) -> Vec<u64> {
    let lists = batch.events().map(|event| match event {
        KvEvent::Stored(stored) => stored.hashes.to_vec(),
        KvEvent::Removed(removed) => removed.hashes.to_vec(),
        KvEvent::Cleared => Vec::new(),
    });
    lists.flatten().map(|EngineHash(hash)| hash).collect()
}

#[test]
fn both_encodings_say_the_same() {
    let arrays = read(&bytes(ARRAYS));
    assert_eq!(arrays.published_unix_secs(), Some(1.5));
    assert_eq!((arrays.rank(), arrays.unknown_events()), (Some(0), 0));
    let events: Vec<KvEvent<'_>> = arrays.events().collect();
    let [
        KvEvent::Stored(stored),
        KvEvent::Removed(removed),
        KvEvent::Cleared,
    ] = events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(stored.hashes, [EngineHash(7), EngineHash(8)]);
    assert_eq!((stored.tokens, stored.marks), (&[1, 2, 3, 4][..], &[][..]));
    let origin = Origin {
        parent: None,
        block_tokens: 2,
        seed: token_seed(b"", b""),
        tier: Tier::Device,
        group: 0,
        dense: true,
    };
    assert_eq!(stored.origin, origin);
    assert_eq!(
        (removed.hashes, removed.group),
        (&[EngineHash(7)][..], None)
    );
    assert_eq!(read(&bytes(MAPS)), arrays);
}

#[test]
fn every_truncation_is_an_error_with_a_place() {
    for fixture in [ARRAYS, MAPS] {
        let whole = bytes(fixture);
        let mut batch = KvBatch::new();
        for len in 0..whole.len() {
            let error = decode(&whole[..len], &mut batch).unwrap_err();
            let (KvEventError::Truncated { at } | KvEventError::Count { at, .. }) = error else {
                panic!("{error:?} at {len}");
            };
            assert!(at <= len);
            assert_eq!(batch, KvBatch::new());
        }
        let mut longer = whole.clone();
        longer.push(0xc0);
        let at = whole.len();
        assert_eq!(
            decode(&longer, &mut batch),
            Err(KvEventError::Trailing { at })
        );
    }
}

#[test]
fn counts_beyond_the_payload_are_refused_before_anything_is_kept() {
    let mut batch = KvBatch::new();
    for absurd in [
        "ddffffffff",
        "93c0ddffffffff",
        "92c0 91 dfffffffff",
        "92c0 91 92 ab426c6f636b53746f726564 ddffffff00",
        "92c0 91 92 a158 ddffffff00",
    ] {
        let error = decode(&bytes(absurd), &mut batch).unwrap_err();
        assert!(
            matches!(error, KvEventError::Count { .. }),
            "{absurd}: {error:?}"
        );
    }
    // As deep as it is long.
    let mut deep = bytes("92c091 92a158");
    deep.extend(std::iter::repeat_n(0x91, 1 << 20));
    deep.push(0xc0);
    assert_eq!(decode(&deep, &mut batch), Ok(()));
    assert_eq!(batch.unknown_events(), 1);
}

#[test]
fn captures_of_real_engines_decode_to_what_was_recorded() {
    let mut batch = KvBatch::new();
    for line in CAPTURES.iter().flat_map(|capture| capture.lines()) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let frames: Vec<Vec<u8>> = line["frames_hex"]
            .as_array()
            .unwrap()
            .iter()
            .map(|frame| bytes(frame.as_str().unwrap()))
            .collect();
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        let frames = Frames::parse(&frames).unwrap();
        assert_eq!(frames.topic, line["topic"].as_str().unwrap().as_bytes());
        assert_eq!(Some(frames.seq), line["seq"].as_u64());
        decode(frames.payload, &mut batch).unwrap();
        let payload = &line["payload"];
        assert_eq!(batch.published_unix_secs(), payload[0].as_f64());
        assert_eq!(batch.rank().map(u64::from), payload[2].as_u64());
        let recorded = payload[1].as_array().unwrap();
        assert_eq!(batch.events().count(), recorded.len());
        for (event, recorded) in batch.events().zip(recorded) {
            check(&event, recorded);
        }
    }
}

fn bits(hash: &serde_json::Value) -> EngineHash {
    let signed = || hash.as_i64().unwrap().cast_unsigned();
    EngineHash(hash.as_u64().unwrap_or_else(signed))
}

fn check(event: &KvEvent<'_>, recorded: &serde_json::Value) {
    let listed = |name: &str| recorded[name].as_array().unwrap().clone();
    let hashes = || listed("block_hashes").iter().map(bits).collect::<Vec<_>>();
    match event {
        KvEvent::Cleared => assert_eq!(recorded["type"], "AllBlocksCleared"),
        KvEvent::Removed(removed) => {
            assert_eq!(recorded["type"], "BlockRemoved");
            assert_eq!(removed.hashes, hashes());
        }
        KvEvent::Stored(stored) => {
            assert_eq!(recorded["type"], "BlockStored");
            assert_eq!(stored.hashes, hashes());
            let tokens: Vec<_> = stored
                .tokens
                .iter()
                .map(|id| serde_json::json!(id))
                .collect();
            assert_eq!(tokens, listed("token_ids"));
            let parent = &recorded["parent_block_hash"];
            assert_eq!(
                stored.origin.parent,
                (!parent.is_null()).then(|| bits(parent))
            );
            assert_eq!(
                u64::from(stored.origin.block_tokens),
                recorded["block_size"]
            );
            let salt = recorded["extra_keys"][0][0].as_str().unwrap_or_default();
            assert_eq!(stored.origin.seed, token_seed(b"", salt.as_bytes()));
            assert!(stored.origin.dense && stored.marks.is_empty());
        }
    }
}

#[test]
fn hashes_come_as_numbers_of_either_sign_and_as_digests() {
    let digest = "00".repeat(24) + "c613a34780a66525";
    let stored = event(&serde_json::json!(["BlockStored",
        [7, 200, 70_000, u64::MAX, -1, -4_173_812_902_145_923_803_i64, {"bin": digest}, {"bin": "0102"}],
        {"bin": digest}, [], 16]));
    let batch = read(&stored);
    let same = 0xc613_a347_80a6_6525;
    assert_eq!(
        hashes(&batch),
        [7, 200, 70_000, u64::MAX, u64::MAX, same, same, 0x0102]
    );
    assert_eq!(first_origin(&batch).parent, Some(EngineHash(same)));
}

#[test]
fn media_are_tiers_and_groups_are_dense_or_not() {
    use serde_json::{Value, json};
    for (medium, tier) in [
        (Value::Null, Tier::Device),
        (json!("GPU"), Tier::Device),
        (json!("CPU"), Tier::Host),
        (json!("CPU_PINNED"), Tier::Host),
        (json!("STORAGE"), Tier::Disk),
        (json!("DISK"), Tier::Disk),
        (json!("EXTERNAL"), Tier::Disk),
    ] {
        let removed =
            json!({"type": "BlockRemoved", "block_hashes": [1], "medium": medium, "group_idx": 3});
        let batch = read(&event(&removed));
        let hashes = &[EngineHash(1)][..];
        let expected = gateway_core::kvfeed::Removed {
            hashes,
            tier,
            group: Some(3),
        };
        assert_eq!(
            batch.events().collect::<Vec<_>>(),
            [KvEvent::Removed(expected)]
        );
    }
    for (kind, dense) in [
        (Value::Null, true),
        (json!("full_attention"), true),
        (json!("mla_attention"), true),
        (json!("sink_full_attention"), true),
        (json!("sliding_window"), false),
        (json!("mamba"), false),
    ] {
        let stored = json!([
            "BlockStored",
            [1],
            null,
            [5],
            1,
            null,
            "GPU",
            null,
            null,
            2,
            kind,
            128
        ]);
        let origin = first_origin(&read(&event(&stored)));
        assert_eq!((origin.dense, origin.group), (dense, 2));
    }
}

#[test]
fn what_is_unknown_is_passed_over_and_counted() {
    use serde_json::json;
    for unknown in [
        json!(["Moved", {"block_hashes": [1]}]),
        json!({"type": "Moved", "block_hashes": "?"}),
        json!({"block_hashes": [1]}),
        json!([]),
        json!(5),
        json!({"type": "BlockStored", "block_hashes": [1], "token_ids": [2], "locality": "REMOTE"}),
    ] {
        let batch = read(&event(&unknown));
        assert_eq!(
            (batch.unknown_events(), batch.events().count()),
            (1, 0),
            "{unknown}"
        );
        assert!(hashes(&batch).is_empty());
    }
    // Fields of later versions, and a type that does not come first.
    let later = json!({"block_hashes": [9], "ownership": {"a": [1, {}]}, "lookahead_token_ids": [[1]],
        "token_ids": [3], "block_size": 1, "locality": "LOCAL", "type": "BlockStored"});
    assert_eq!(hashes(&read(&event(&later))), [9]);
    let rank_free = [0x92, 0xc0, 0x90];
    assert_eq!(
        (
            read(&rank_free).rank(),
            read(&rank_free).published_unix_secs()
        ),
        (None, None)
    );
    let surplus = bytes("95 01 90 03 81a16101 c0");
    assert_eq!(
        (read(&surplus).rank(), read(&surplus).published_unix_secs()),
        (Some(3), Some(1.0))
    );
}

#[test]
fn adapters_salts_and_marks_are_found_wherever_they_stand() {
    use serde_json::{Value, json};
    let seed_of = |fields: Value| {
        let mut stored = json!({"type": "BlockStored", "block_hashes": [1, 2], "token_ids": [3, 4], "block_size": 1});
        stored
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let batch = read(&event(&stored));
        let marks: Vec<Mark> = batch
            .events()
            .flat_map(|event| match event {
                KvEvent::Stored(stored) => stored.marks.to_vec(),
                _ => Vec::new(),
            })
            .collect();
        (first_origin(&batch).seed, marks)
    };
    let salted = token_seed(b"", b"s");
    let both = token_seed(b"ad", b"s");
    assert_eq!(seed_of(json!({"cache_salt": "s"})), (salted, vec![]));
    assert_eq!(
        seed_of(json!({"lora_name": "ad", "cache_salt": "s"})),
        (both, vec![])
    );
    assert_eq!(
        seed_of(json!({"extra_keys": [["s"], null]})),
        (salted, vec![])
    );
    // The name may come after the keys that repeat it.
    assert_eq!(
        seed_of(json!({"extra_keys": [["ad", "s"], ["ad"]], "lora_name": "ad"})),
        (both, vec![])
    );
    assert_eq!(
        seed_of(
            json!({"extra_keys": [[["lora", "ad", "/p"], ["cache_salt", "s"]], [["lora", "ad", "/p"]]]})
        ),
        (both, vec![])
    );
    assert_ne!(seed_of(json!({"lora_id": 4})).0, seed_of(json!({})).0);
    assert_eq!(
        seed_of(json!({"lora_id": 4, "lora_name": "ad"})).0,
        token_seed(b"ad", b"")
    );
    let (seed, bare) = seed_of(json!({"extra_keys": [null, [["img", 5]]]}));
    let (_, tagged) = seed_of(json!({"extra_keys": [null, [["mm", "img", 5]]]}));
    let (_, other) = seed_of(json!({"extra_keys": [null, [["mm", "img", 6]]]}));
    assert_eq!(
        (seed, bare.len(), bare[0].block),
        (token_seed(b"", b""), 1, 1)
    );
    assert_eq!(bare, tagged);
    assert_ne!(bare, other);
    assert_eq!(
        seed_of(json!({"extra_keys": [null, ["digest", {"bin": "00ff"}]]}))
            .1
            .len(),
        2
    );
    // SGLang 0.5.19 keeps the salt in a map behind the medium.
    let old =
        json!(["BlockStored", [1], null, [5], 1, null, "GPU", {"other": [1], "cache_salt": "s"}]);
    assert_eq!(first_origin(&read(&event(&old))).seed, salted);
}

#[test]
fn tokens_may_be_pairs_and_wide() {
    use serde_json::json;
    let stored = json!([
        "BlockStored",
        [1],
        null,
        [[7, 8], [8, 9], 300_000, u64::from(u32::MAX) + 6],
        4
    ]);
    let batch = read(&event(&stored));
    let Some(KvEvent::Stored(stored)) = batch.events().next() else {
        panic!("a store");
    };
    assert_eq!(stored.tokens, [7, 8, 300_000, 5]);
}

#[test]
fn wrong_types_are_named_with_their_place() {
    let mut batch = KvBatch::new();
    let expected = |at, expected| Err(KvEventError::Unexpected { at, expected });
    assert_eq!(decode(&bytes("80"), &mut batch), expected(0, "an array"));
    assert_eq!(
        decode(&bytes("91c0"), &mut batch),
        expected(0, "a batch of two elements")
    );
    assert_eq!(
        decode(&bytes("92a16190"), &mut batch),
        expected(1, "a number")
    );
    let stored = "92c0 91 93 ab426c6f636b53746f726564";
    let wrong_hash = bytes(&format!("{stored} 91a161 c0"));
    assert_eq!(decode(&wrong_hash, &mut batch), expected(17, "a hash"));
    let reserved = bytes("92c0 91 92 a158 c1");
    assert_eq!(decode(&reserved, &mut batch), expected(6, "a value"));
}
