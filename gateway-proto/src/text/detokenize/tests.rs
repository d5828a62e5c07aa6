//! Streams over the small model's tokenizer, and over decoders that are known to themselves alone.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::tokenize::Tokenizer;
use super::*;

const FILE: &[u8] = include_bytes!("../../../testdata/models/small/tokenizer.json");

static SMALL: LazyLock<Arc<Tokenizer>> =
    LazyLock::new(|| Arc::new(Tokenizer::from_json(FILE).unwrap()));

fn stream(tokenizer: &Arc<Tokenizer>, ids: &[u32], options: DetokenizeOptions) -> Vec<String> {
    let mut detokenizer = Detokenizer::new(tokenizer.clone(), options);
    let mut parts: Vec<String> = Vec::new();
    for id in ids {
        let mut part = String::new();
        detokenizer.push(*id, &mut part);
        parts.push(part);
    }
    let mut part = String::new();
    detokenizer.finish(&mut part);
    parts.push(part);
    parts
}

#[test]
fn a_character_comes_with_its_last_byte() {
    let ids: Vec<u32> = "\u{1f600}".bytes().map(id_of_byte).collect();
    let parts = stream(&SMALL, &ids, DetokenizeOptions::default());
    assert_eq!(parts, ["", "", "", "\u{1f600}", ""]);
    let cut = stream(&SMALL, &ids[..2], DetokenizeOptions::default());
    assert_eq!(cut, ["", "", ""], "as in vLLM");
    let mut after = ids[..3].to_vec();
    after.push(id_of_byte(b'a'));
    let wrong = stream(&SMALL, &after, DetokenizeOptions::default()).concat();
    assert_eq!(
        wrong, "\u{fffd}a",
        "what is no character is told from what is none yet"
    );
}

fn id_of_byte(byte: u8) -> u32 {
    let single = |id: &u32| SMALL.bytes_of(*id) == Some(&[byte]);
    (0..4105).find(single).expect("every byte is a token")
}

#[test]
fn special_and_hidden_tokens() {
    let ids = SMALL
        .encode("<think>so</think>yes<|im_end|>", false)
        .unwrap();
    let end = SMALL.id_of("<|im_end|>").unwrap();
    let text = |options| stream(&SMALL, &ids, options).concat();
    // These markers are no special tokens: plain text has them.
    assert_eq!(text(DetokenizeOptions::default()), "<think>so</think>yes");
    let mut keep = DetokenizeOptions {
        keep_special: true,
        ..DetokenizeOptions::default()
    };
    assert_eq!(text(keep.clone()), "<think>so</think>yes<|im_end|>");
    keep.hidden.push(end);
    assert_eq!(text(keep), "<think>so</think>yes");
}

#[test]
fn ids_that_do_not_exist_give_nothing_and_are_counted() {
    let mut detokenizer = Detokenizer::new(SMALL.clone(), DetokenizeOptions::default());
    let mut text = String::new();
    for id in [4105, u32::MAX, id_of_byte(b'a')] {
        detokenizer.push(id, &mut text);
    }
    assert_eq!((&*text, detokenizer.unknown_ids()), ("a", 2));
    assert_eq!(detokenizer.alone(4105), None);
    let half = id_of_byte(0xf0);
    assert_eq!(
        detokenizer.alone(half),
        Some(("\u{fffd}".to_owned(), &[0xf0][..]))
    );
}

#[test]
fn a_run_of_bytes_is_held_no_longer_than_its_limit() {
    let mut vocab = serde_json::Map::new();
    for byte in 0..=255_u32 {
        vocab.insert(format!("<0x{byte:02X}>"), json!(byte));
    }
    let file = json!({
        "version": "1.0", "added_tokens": [],
        "model": { "type": "BPE", "vocab": vocab, "merges": [], "byte_fallback": true },
        "decoder": { "type": "Sequence", "decoders": [{ "type": "ByteFallback" }, { "type": "Fuse" }] },
    });
    let tokenizer = Arc::new(Tokenizer::from_json(&serde_json::to_vec(&file).unwrap()).unwrap());
    let ids: Vec<u32> = "\u{12000}".repeat(200).bytes().map(u32::from).collect();
    let parts = stream(&tokenizer, &ids, DetokenizeOptions::default());
    assert!(parts.iter().all(|part| part.len() <= 256));
    assert_eq!(parts.concat(), "\u{12000}".repeat(200));
    let cut = stream(&tokenizer, &ids[..6], DetokenizeOptions::default());
    assert_eq!(
        cut.concat(),
        "\u{12000}",
        "a run is shown as far as it is whole"
    );
}

/// Decoders for which there is no table.
fn other() -> Arc<Tokenizer> {
    let mut file: Value = serde_json::from_slice(FILE).unwrap();
    file["decoder"] = json!({ "type": "WordPiece", "prefix": "##", "cleanup": false });
    Arc::new(Tokenizer::from_json(&serde_json::to_vec(&file).unwrap()).unwrap())
}

#[test]
fn an_unknown_decoder_is_asked_itself() {
    let tokenizer = other();
    let ids: Vec<u32> = (300..500).collect();
    let whole = tokenizer.decode(&ids).unwrap();
    let parts = stream(&tokenizer, &ids, DetokenizeOptions::default());
    assert_eq!(parts.concat(), whole);
    assert!(parts.iter().filter(|part| !part.is_empty()).count() > 190);
}

proptest! {
    #[test]
    fn a_stream_is_the_whole_but_for_a_character_cut_off(ids in proptest::collection::vec(0_u32..4105, 0..60)) {
        let options = DetokenizeOptions { keep_special: true, ..DetokenizeOptions::default() };
        let text = stream(&SMALL, &ids, options).concat();
        let whole = SMALL.decode(&ids).unwrap();
        let shown = whole.strip_suffix(char::REPLACEMENT_CHARACTER).unwrap_or(&whole);
        prop_assert!(text == whole || text == shown, "{text:?} of {whole:?}");
    }

    #[test]
    fn any_bytes_hold_the_rules(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        crate::fuzzing::detokenize(&data);
        crate::fuzzing::stops(&data);
    }
}
