//! The small model's tokenizer, whole and damaged in every way.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;

const FILE: &[u8] = include_bytes!("../../../testdata/models/small/tokenizer.json");
const CONFIG: &[u8] = include_bytes!("../../../testdata/models/small/tokenizer_config.json");

fn changed(change: impl FnOnce(&mut Value)) -> Result<Tokenizer, TokenizerError> {
    let mut file: Value = serde_json::from_slice(FILE).unwrap();
    change(&mut file);
    Tokenizer::from_json(&serde_json::to_vec(&file).unwrap())
}

fn configured(config: &Value) -> Result<Tokenizer, TokenizerError> {
    Tokenizer::from_files(FILE, config.to_string().as_bytes())
}

fn reason(outcome: Result<Tokenizer, TokenizerError>) -> String {
    outcome.expect_err("must be refused").to_string()
}

#[test]
fn a_file_cut_anywhere_is_refused_with_the_place() {
    for length in (0..FILE.len()).step_by(997) {
        let text = reason(Tokenizer::from_json(&FILE[..length]));
        assert!(
            text.contains("EOF") && text.contains("column"),
            "{length}: {text}"
        );
    }
}

#[test]
fn a_broken_part_is_named() {
    let text = reason(changed(|file| {
        file["pre_tokenizer"] = json!({ "type": "Nonsense" })
    }));
    assert!(
        text.contains("`pre_tokenizer`") && text.contains("Nonsense"),
        "{text}"
    );
    let text = reason(changed(|file| file["decoder"] = json!(7)));
    assert!(text.contains("`decoder`"), "{text}");
    let regex = json!({ "type": "Split", "pattern": { "Regex": "(" }, "behavior": "Isolated", "invert": false });
    let text = reason(changed(|file| file["pre_tokenizer"] = regex));
    assert!(text.contains("`pre_tokenizer`"), "{text}");
    let text = reason(changed(|file| file["model"] = Value::Null));
    assert_eq!(text, "tokenizer.json has no `model`");
    let remove = |file: &mut Value| {
        file["model"].as_object_mut().unwrap().remove("vocab");
    };
    assert_eq!(
        reason(changed(remove)),
        "tokenizer.json has no `model.vocab`"
    );
}

#[test]
fn a_vocabulary_that_cannot_be_is_refused() {
    let merge = |file: &mut Value| file["model"]["merges"][0] = json!(["no such", "token"]);
    assert!(reason(changed(merge)).contains("no such"));
    let id = |file: &mut Value| file["model"]["vocab"]["!"] = json!(u32::MAX);
    assert!(reason(changed(id)).contains("4294967295"));
    let negative = |file: &mut Value| file["model"]["vocab"]["!"] = json!(-1);
    assert!(changed(negative).is_err());
}

#[test]
fn ids_tokens_and_bytes() {
    let tokenizer = Tokenizer::from_files(FILE, CONFIG).unwrap();
    let eos = tokenizer.id_of("<|im_end|>").unwrap();
    assert_eq!(tokenizer.vocab_size(), 4105);
    assert!(tokenizer.is_special(eos));
    assert!(!tokenizer.is_special(tokenizer.id_of("<think>").unwrap()));
    assert_eq!(tokenizer.bytes_of(eos), Some(&b"<|im_end|>"[..]));
    assert_eq!(tokenizer.special_tokens().id("eos_token"), Some(eos));
    assert_eq!(tokenizer.special_tokens().text("bos_token"), None);
    for id in [4105, u32::MAX] {
        assert_eq!(tokenizer.bytes_of(id), None);
        assert_eq!(tokenizer.token_of(id), None);
        assert!(!tokenizer.is_special(id));
    }
    let text = "Caf\u{e9} \u{1f600}\n<|im_end|>";
    let ids = tokenizer.encode(text, false).unwrap();
    let bytes: Vec<&[u8]> = ids
        .iter()
        .map(|id| tokenizer.bytes_of(*id).unwrap())
        .collect();
    assert_eq!(bytes.concat(), text.as_bytes());
    assert_eq!(tokenizer.count(text).unwrap(), ids.len());
}

#[test]
fn the_post_processor_says_what_stands_around_a_text() {
    let start = json!({ "SpecialToken": { "id": "<|im_start|>", "type_id": 0 } });
    let end = json!({ "SpecialToken": { "id": "<|im_end|>", "type_id": 0 } });
    let text = json!({ "Sequence": { "id": "A", "type_id": 0 } });
    let tokenizer = changed(|file| {
        file["post_processor"] = json!({
            "type": "TemplateProcessing",
            "single": [start, text, end],
            "pair": [text, { "Sequence": { "id": "B", "type_id": 1 } }],
            "special_tokens": {
                "<|im_start|>": { "id": "<|im_start|>", "ids": [4097], "tokens": ["<|im_start|>"] },
                "<|im_end|>": { "id": "<|im_end|>", "ids": [4098], "tokens": ["<|im_end|>"] },
            },
        });
    })
    .unwrap();
    let cache = TurnCache::new(Arc::new(tokenizer), &CacheConfig::default());
    for text in ["", "text", "one two three <|im_end|> four"] {
        let mut expected = vec![4097];
        expected.extend(cache.tokenizer().encode(text, false).unwrap());
        expected.push(4098);
        assert_eq!(cache.tokenizer().encode(text, true).unwrap(), expected);
        assert_eq!(cache.encode(text, true).unwrap().ids, expected);
    }
}

#[test]
fn a_token_that_only_the_configuration_has_is_added() {
    let config = json!({ "added_tokens_decoder": { "4105": { "content": "<extra>", "special": true, "normalized": false } } });
    let tokenizer = configured(&config).unwrap();
    assert_eq!(tokenizer.encode("<extra>", false).unwrap(), [4105]);
    assert!(tokenizer.is_special(4105));
    assert!(Tokenizer::from_files(FILE, b"[]").is_err());
}

#[test]
fn truncation_and_padding_of_the_file_are_off() {
    let tokenizer = changed(|file| {
        file["truncation"] = json!({ "direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0 });
        file["padding"] = json!({
            "strategy": { "Fixed": 64 }, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "!",
        });
    })
    .unwrap();
    let plain = Tokenizer::from_json(FILE).unwrap();
    let text = "more than two tokens, fewer than sixty-four";
    assert_eq!(
        tokenizer.encode(text, true).unwrap(),
        plain.encode(text, true).unwrap()
    );
}

#[test]
fn where_nothing_is_safe_the_cache_is_off_and_says_so() {
    let random = changed(|file| file["model"]["dropout"] = json!(0.1)).unwrap();
    assert_eq!(random.boundaries().refusal(), Some(Refusal::Random));
    let split = configured(&json!({ "split_special_tokens": true })).unwrap();
    assert_eq!(split.boundaries().refusal(), Some(Refusal::SpecialSplit));
    let bare = changed(|file| file["added_tokens"] = json!([])).unwrap();
    assert_eq!(bare.boundaries().refusal(), Some(Refusal::NoSafeToken));
    let cache = TurnCache::new(Arc::new(bare), &CacheConfig::default());
    assert!(!cache.is_active());
    let ids = cache.encode("a text", false).unwrap().ids;
    assert_eq!(ids, cache.tokenizer().encode("a text", false).unwrap());
    assert_eq!(cache.stats().entries, 0);
}

#[test]
fn a_token_that_takes_white_space_along_is_not_safe() {
    let all = Tokenizer::from_json(FILE)
        .unwrap()
        .boundaries()
        .safe_tokens();
    assert_eq!(all, 9);
    for flag in ["rstrip", "single_word"] {
        let fewer = changed(|file| file["added_tokens"][2][flag] = json!(true)).unwrap();
        assert_eq!(fewer.boundaries().safe_tokens(), all - 1, "{flag}");
    }
    // One that looks to the left is as good a place to cut as any.
    let same = changed(|file| file["added_tokens"][2]["lstrip"] = json!(true)).unwrap();
    assert_eq!(same.boundaries().safe_tokens(), all);
}

#[test]
fn counters_tell_what_was_remembered() {
    let tokenizer = Arc::new(Tokenizer::from_files(FILE, CONFIG).unwrap());
    let cache = TurnCache::new(tokenizer, &CacheConfig::default());
    let turn = "<|im_start|>user\nA question that is long enough to be worth a segment of its own.<|im_end|>\n";
    let first = cache.encode(turn, true).unwrap();
    assert_eq!(first.cached_tokens, 0);
    let again = cache.encode(turn, true).unwrap();
    // All but the line end behind the last boundary.
    assert_eq!(again.cached_tokens, again.ids.len() - 1);
    assert_eq!(again.ids, first.ids);
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.entries), (1, 1, 1));
    assert_eq!(stats.cached_tokens as usize, again.cached_tokens);
    assert_eq!(stats.encoded_tokens as usize, first.ids.len() + 1);
    assert!(stats.bytes > turn.len());
}

#[test]
fn a_segment_larger_than_the_cache_is_not_kept() {
    let tokenizer = Arc::new(Tokenizer::from_json(FILE).unwrap());
    let cache = TurnCache::new(
        tokenizer,
        &CacheConfig {
            limit_bytes: 16 << 10,
        },
    );
    let large = format!("{}<|im_end|>", "word ".repeat(2000));
    let _ = cache.encode(&large, false).unwrap();
    let stats = cache.stats();
    assert_eq!((stats.rejected, stats.entries, stats.bytes), (1, 0, 0));
}
