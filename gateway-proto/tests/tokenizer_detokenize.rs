//! Text that comes token by token is the text of the whole list of ids.
#![allow(
    clippy::unwrap_used,
    reason = "a test that lacks what it needs has failed"
)]
#![cfg(feature = "text")]

use std::sync::Arc;

use gateway_proto::text::detokenize::{DetokenizeOptions, Detokenizer};
use gateway_proto::text::tokenize::Tokenizer;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

mod tokenizer;
use tokenizer::{MODELS, Model, content, model};

const CASES: u32 = 400;

/// Ids of real text, ids drawn from the whole vocabulary, runs of single bytes, added tokens, ids that do not exist.
fn ids(model: &Model) -> impl Strategy<Value = Vec<u32>> + use<> {
    let size = u32::try_from(model.ours.vocab_size()).unwrap();
    let ours = model.ours.clone();
    let encode = move |text: String| ours.encode(&text, false).unwrap();
    let added: Vec<u32> = model
        .added
        .iter()
        .filter_map(|text| model.ours.id_of(text))
        .collect();
    let bytes: Vec<u32> = (0..size)
        .filter(|id| model.ours.bytes_of(*id).is_some_and(|b| b.len() == 1))
        .collect();
    let byte_run = proptest::collection::vec(proptest::sample::select(bytes), 0..8);
    let part = prop_oneof![
        content(&model.added).prop_map(encode),
        proptest::collection::vec(0..size, 0..8),
        byte_run,
        proptest::sample::select(added).prop_map(|id| vec![id]),
        Just(vec![size, u32::MAX]),
    ];
    proptest::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

fn check(model: &Model) {
    let mut runner = TestRunner::new(ProptestConfig::with_cases(CASES));
    let cases = (ids(model), any::<bool>());
    let run = runner.run(&cases, |(ids, keep_special)| {
        let options = DetokenizeOptions {
            keep_special,
            ..DetokenizeOptions::default()
        };
        let mut detokenizer = Detokenizer::new(model.ours.clone(), options);
        let mut text = String::new();
        for id in &ids {
            detokenizer.push(*id, &mut text);
        }
        let is_whole = detokenizer.is_whole();
        detokenizer.finish(&mut text);
        let whole = model.plain.decode(&ids, !keep_special).unwrap();
        if is_whole || text == whole {
            prop_assert_eq!(text, whole, "{}", model.name);
            return Ok(());
        }
        // Of a character that the end cuts off nothing is shown; some decoders show marks for all of its run of bytes.
        let before = whole.trim_end_matches(char::REPLACEMENT_CHARACTER);
        prop_assert!(
            text.starts_with(before),
            "{}: {text:?} of {whole:?}",
            model.name
        );
        prop_assert!(
            text.chars().count() < whole.chars().count(),
            "{}",
            model.name
        );
        Ok(())
    });
    run.unwrap();
}

#[test]
fn real_tokenizers() {
    for model in &*MODELS {
        check(model);
    }
}

/// The vocabulary of Gemma behind the decoders of other families.
#[test]
fn decoders_that_strip_the_start() {
    let gemma = &MODELS[3];
    let file = std::fs::read(gemma.folder.join("tokenizer.json")).unwrap();
    let mut file: Value = serde_json::from_slice(&file).unwrap();
    let replace = json!({ "type": "Replace", "pattern": { "String": "\u{2581}" }, "content": " " });
    let strip = json!({ "type": "Strip", "content": " ", "start": 1, "stop": 0 });
    let llama = json!({ "type": "Sequence", "decoders": [
        replace, { "type": "ByteFallback" }, { "type": "Fuse" }, strip,
    ] });
    let metaspace = json!({ "type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "first", "split": false });
    for (name, decoder) in [("llama", llama), ("metaspace", metaspace)] {
        file["decoder"] = decoder;
        let file = serde_json::to_vec(&file).unwrap();
        let ours = Tokenizer::from_json(&file).unwrap();
        check(&model(name, gemma.folder.clone(), ours, &file));
    }
}

#[test]
fn an_answer_that_continues_a_prompt_keeps_its_first_space() {
    let gemma = &MODELS[3];
    let file = std::fs::read(gemma.folder.join("tokenizer.json")).unwrap();
    let mut file: Value = serde_json::from_slice(&file).unwrap();
    file["decoder"] =
        json!({ "type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "always" });
    let tokenizer = Arc::new(Tokenizer::from_json(&serde_json::to_vec(&file).unwrap()).unwrap());
    let id = tokenizer.id_of("\u{2581}Hello").unwrap();
    for (continues, expected) in [(true, " Hello"), (false, "Hello")] {
        let options = DetokenizeOptions {
            continues,
            ..DetokenizeOptions::default()
        };
        let mut text = String::new();
        Detokenizer::new(tokenizer.clone(), options).push(id, &mut text);
        assert_eq!(text, expected);
    }
}
