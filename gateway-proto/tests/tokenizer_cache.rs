//! A cached encoding is the plain one, bit for bit.
#![allow(
    clippy::unwrap_used,
    reason = "a test that lacks what it needs has failed"
)]
#![cfg(feature = "text")]

use gateway_proto::text::tokenize::{CacheConfig, Tokenizer, TurnCache};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::{Value, json};

mod tokenizer;
use tokenizer::{MODELS, Model, content, model};

const CASES: u32 = 60;

/// Conversations that grow by a turn at a time, each with the tokens that open and close a turn, and one that leaves the
/// first midway.
fn check(model: &Model, limit_bytes: usize) {
    let cache = TurnCache::new(model.ours.clone(), &CacheConfig { limit_bytes });
    assert!(
        cache.is_active(),
        "{}: {:?}",
        model.name,
        model.ours.boundaries().refusal()
    );
    let mut runner = TestRunner::new(ProptestConfig::with_cases(CASES));
    let marks = proptest::sample::select(model.added.clone());
    let turn = (marks.clone(), content(&model.added), marks);
    let turns = proptest::collection::vec(turn, 1..7);
    runner
        .run(&(turns, any::<prop::sample::Index>()), |(turns, leave)| {
            let turns: Vec<String> = turns.iter().map(|(a, b, c)| format!("{a}{b}{c}")).collect();
            let mut text = String::new();
            for turn in &turns {
                text.push_str(turn);
                agree(model, &cache, &text)?;
            }
            let mut at = leave.index(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            agree(model, &cache, &format!("{}{}", &text[..at], turns[0]))
        })
        .unwrap();
    let stats = cache.stats();
    assert!(
        stats.hits > 0 && stats.misses > 0,
        "{}: {stats:?}",
        model.name
    );
    assert!(stats.bytes <= limit_bytes, "{stats:?}");
}

fn agree(model: &Model, cache: &TurnCache, text: &str) -> Result<(), TestCaseError> {
    let encoding = model.plain.encode(text, false).unwrap();
    let encoded = cache.encode(text, false).unwrap();
    prop_assert_eq!(
        &encoded.ids[..],
        encoding.get_ids(),
        "{}: {:?}",
        model.name,
        text
    );
    prop_assert!(encoded.cached_tokens <= encoded.ids.len());
    Ok(())
}

#[test]
fn real_tokenizers() {
    for model in &*MODELS {
        check(model, 64 << 20);
    }
}

#[test]
fn a_cache_that_is_too_small_forgets_and_stays_right() {
    let qwen = &MODELS[0];
    check(qwen, 64 << 10);
}

#[test]
fn a_turn_that_was_seen_comes_from_the_cache() {
    for model in &*MODELS {
        let cache = TurnCache::new(model.ours.clone(), &CacheConfig::default());
        let mark = model.added.iter().rfind(|text| {
            // One behind which this tokenizer may be cut, tried as a user would.
            let text = format!("{}{text}x", "word ".repeat(20));
            let _ = cache.encode(&text, false);
            cache.encode(&text, false).unwrap().cached_tokens > 0
        });
        let mark = mark.expect("some added token is safe");
        let first = format!("{}{mark}", "A sentence of some length. ".repeat(40));
        let second = format!("{first}And an answer.{mark}");
        let _ = cache.encode(&first, false).unwrap();
        let before = cache.encode(&first, false).unwrap();
        assert_eq!(before.cached_tokens, before.ids.len(), "{}", model.name);
        let after = cache.encode(&second, false).unwrap();
        assert_eq!(after.cached_tokens, before.ids.len(), "{}", model.name);
    }
}

/// The vocabulary of Gemma behind the other ways in which tokenizers treat the start of a text.
#[test]
fn first_words_and_prepended_marks() {
    let gemma = &MODELS[3];
    let file = std::fs::read(gemma.folder.join("tokenizer.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let metaspace = |scheme: &str| json!({ "type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": scheme, "split": false });
    let legacy = json!({ "type": "Sequence", "normalizers": [
        { "type": "Prepend", "prepend": "\u{2581}" },
        { "type": "Replace", "pattern": { "String": " " }, "content": "\u{2581}" },
    ] });
    let variants = [
        ("first", Value::Null, metaspace("first")),
        ("legacy", legacy, Value::Null),
    ];
    for (name, normalizer, pre_tokenizer) in variants {
        let mut file = file.clone();
        file["normalizer"] = normalizer;
        file["pre_tokenizer"] = pre_tokenizer;
        let file = serde_json::to_vec(&file).unwrap();
        let ours = Tokenizer::from_json(&file).unwrap();
        check(&model(name, gemma.folder.clone(), ours, &file), 64 << 20);
    }
}

/// Tokens that look at their neighbours, beside others that do not.
#[test]
fn flagged_tokens() {
    let small = &MODELS[5];
    let file = std::fs::read(small.folder.join("tokenizer.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    for flags in 0..32_u32 {
        let mut file = file.clone();
        let tokens = file["added_tokens"].as_array_mut().unwrap();
        for (at, name) in ["lstrip", "rstrip", "single_word", "normalized"]
            .iter()
            .enumerate()
        {
            // The last token but some, so that most stay as they are.
            tokens[3 + at % 2][*name] = json!(flags & (1 << at) != 0);
        }
        if flags & 16 != 0 {
            file["normalizer"] = json!({ "type": "NFC" });
        }
        let file = serde_json::to_vec(&file).unwrap();
        let ours = Tokenizer::from_json(&file).unwrap();
        assert!(ours.boundaries().safe_tokens() >= 5);
        check(
            &model("flagged", small.folder.clone(), ours, &file),
            64 << 20,
        );
    }
}
