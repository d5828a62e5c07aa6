//! Bodies as they go to the engines.

use insta::assert_snapshot;
use serde_json::Value;

use super::*;
use crate::ir::{Format, Json, LogprobsAsked, Sampling};

/// A call with every wish there is.
fn all_wishes() -> TokenCall {
    TokenCall {
        sampling: Sampling {
            max_tokens: Some(1),
            min_tokens: Some(2),
            n: Some(2),
            temperature: Some(0.5),
            top_p: Some(0.9),
            top_k: Some(40),
            min_p: Some(0.05),
            repetition_penalty: Some(1.1),
            logit_bias: vec![(7, -100.0), (9, 1.5)],
            stop_token_ids: vec![151_645, 151_643],
            presence_penalty: Some(0.25),
            frequency_penalty: Some(-0.25),
            seed: Some(11),
            ignore_eos: Some(false),
        },
        logprobs: Some(LogprobsAsked { top: 3 }),
        format: schema(),
        cache_salt: Some("salt".to_owned()),
        priority: Some(-1),
        request_id: Some("r-1".to_owned()),
        ..TokenCall::new("m", [1, 2, 3].as_slice(), 16)
    }
}

fn schema() -> Format {
    Format::JsonSchema {
        name: Some("point".to_owned()),
        description: None,
        schema: json(r#"{"type":"object","required":["x"]}"#),
        strict: true,
    }
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

/// What MindIE can do, and all it can.
fn mindie_wishes() -> TokenCall {
    TokenCall {
        sampling: Sampling {
            n: Some(1),
            temperature: Some(0.5),
            top_p: Some(0.9),
            top_k: Some(40),
            min_p: Some(0.0),
            repetition_penalty: Some(1.1),
            presence_penalty: Some(0.0),
            stop_token_ids: vec![5],
            seed: Some(11),
            ..Sampling::default()
        },
        priority: Some(2),
        ..TokenCall::new("m", [1, 2, 3].as_slice(), 16)
    }
}

/// What llama.cpp can do, and all it can.
fn llamacpp_wishes() -> TokenCall {
    TokenCall {
        sampling: Sampling {
            min_tokens: None,
            n: Some(1),
            ..all_wishes().sampling
        },
        cache_salt: None,
        priority: None,
        ..all_wishes()
    }
}

/// What TensorRT-LLM can do, and all it can.
fn trtllm_wishes() -> TokenCall {
    TokenCall {
        logprobs: Some(LogprobsAsked { top: 0 }),
        cache_salt: None,
        priority: Some(1),
        ..all_wishes()
    }
}

fn pretty(wire: TokenWire, call: &TokenCall) -> String {
    let body = wire.encode(call).expect("within what the wire can say");
    let value: Value = serde_json::from_slice(&body).expect("JSON");
    serde_json::to_string_pretty(&value).expect("JSON")
}

#[test]
fn every_wish_has_its_field() {
    let call = all_wishes();
    assert_snapshot!("vllm_generate", pretty(TokenWire::VllmGenerate, &call));
    let body = pretty(TokenWire::VllmCompletions, &call);
    assert_snapshot!("vllm_completions", body);
    let body = pretty(TokenWire::OpenAiCompletions, &call);
    assert_snapshot!("openai_completions", body);
    assert_snapshot!("sglang_generate", pretty(TokenWire::SglangGenerate, &call));
    let body = pretty(TokenWire::MindieInferToken, &mindie_wishes());
    assert_snapshot!("mindie_infer_token", body);
    let body = pretty(TokenWire::TrtllmCompletions, &trtllm_wishes());
    assert_snapshot!("trtllm_completions", body);
    let body = pretty(TokenWire::LlamacppCompletion, &llamacpp_wishes());
    assert_snapshot!("llamacpp_completion", body);
}

#[test]
fn what_nobody_asked_for_is_left_to_the_engine() {
    let call = TokenCall::new("m", [1].as_slice(), 16);
    for wire in TokenWire::ALL {
        let body = wire.encode(&call).expect("a plain call");
        let text = std::str::from_utf8(&body).expect("JSON");
        for absent in [
            "null",
            "temperature",
            "logprob",
            "seed",
            "structured",
            "\"n\"",
        ] {
            assert!(!text.contains(absent), "{wire:?}: {text}");
        }
        let most = ["tokens\":16", "n_predict\":16"];
        assert!(
            most.iter().any(|said| text.contains(said)),
            "{wire:?}: {text}"
        );
        let streams = text.contains("\"stream\":true");
        assert_eq!(streams, !wire.is_whole(), "{wire:?}: {text}");
    }
}

/// The value at `pointer` of what is sent for a form.
fn sent(wire: TokenWire, format: Format, pointer: &str) -> Value {
    let call = TokenCall {
        format,
        ..TokenCall::new("m", [1].as_slice(), 16)
    };
    let body = wire.encode(&call).expect("the wire has a field");
    let value: Value = serde_json::from_slice(&body).expect("JSON");
    let found = value.pointer(pointer);
    found.unwrap_or_else(|| panic!("{wire:?}: {value}")).clone()
}

#[test]
fn vllm_has_a_field_for_every_form() {
    let choice = Format::Choice(vec!["a".to_owned(), "b".to_owned()]);
    let tag = Format::StructuralTag(json(r#"{"type":"structural_tag"}"#));
    let cases = [
        (Format::JsonObject, "json_object", Value::Bool(true)),
        (Format::Regex("a+".to_owned()), "regex", "a+".into()),
        (
            Format::Grammar("root ::= x".to_owned()),
            "grammar",
            "root ::= x".into(),
        ),
        (choice, "choice", serde_json::json!(["a", "b"])),
        (tag, "structural_tag", r#"{"type":"structural_tag"}"#.into()),
    ];
    for (format, field, expected) in cases {
        let nested = format!("/sampling_params/structured_outputs/{field}");
        let flat = format!("/structured_outputs/{field}");
        assert_eq!(
            sent(TokenWire::VllmGenerate, format.clone(), &nested),
            expected
        );
        assert_eq!(sent(TokenWire::VllmCompletions, format, &flat), expected);
    }
}

#[test]
fn sglang_has_a_field_for_every_form() {
    let choice = Format::Choice(vec!["a.b".to_owned(), "(c)".to_owned()]);
    // A tag that came as text goes as that text, not quoted once more.
    let tag = Format::StructuralTag(json(r#""{\"type\":1}""#));
    let cases = [
        (Format::JsonObject, "json_schema", r#"{"type":"object"}"#),
        (Format::Regex("a+".to_owned()), "regex", "a+"),
        (
            Format::Grammar("root ::= x".to_owned()),
            "ebnf",
            "root ::= x",
        ),
        (choice, "regex", r"(a\.b|\(c\))"),
        (tag, "structural_tag", r#"{"type":1}"#),
    ];
    for (format, field, expected) in cases {
        let pointer = format!("/sampling_params/{field}");
        assert_eq!(sent(TokenWire::SglangGenerate, format, &pointer), expected);
    }
}

#[test]
fn trtllm_has_a_field_for_every_form() {
    let choice = Format::Choice(vec!["a.b".to_owned(), "c".to_owned()]);
    let tag = Format::StructuralTag(json(
        r#"{"type":"structural_tag","format":{"type":"any_text"}}"#,
    ));
    let cases = [
        (Format::JsonObject, "type", "json_object".into()),
        (schema(), "json_schema/schema/required/0", "x".into()),
        (Format::Regex("a+".to_owned()), "regex", "a+".into()),
        (
            Format::Grammar("root ::= x".to_owned()),
            "ebnf",
            "root ::= x".into(),
        ),
        (choice, "regex", r"(a\.b|c)".into()),
        (tag, "format", serde_json::json!({"type": "any_text"})),
    ];
    for (format, field, expected) in cases {
        let pointer = format!("/response_format/{field}");
        let found: Value = sent(TokenWire::TrtllmCompletions, format, &pointer);
        assert_eq!(found, expected);
    }
    let old = Format::StructuralTag(json(r#"{"type":"structural_tag","structures":[]}"#));
    let call = TokenCall {
        format: old,
        ..TokenCall::new("m", [1].as_slice(), 16)
    };
    let refused = TokenWire::TrtllmCompletions.encode(&call);
    assert_eq!(field(refused), "structural_tag");
}

#[test]
fn llamacpp_has_a_field_for_most_forms() {
    let choice = Format::Choice(vec!["a\"b".to_owned(), "c\\\n".to_owned()]);
    let cases = [
        (Format::JsonObject, "json_schema/type", "object"),
        (schema(), "json_schema/required/0", "x"),
        (
            Format::Grammar("root ::= x".to_owned()),
            "grammar",
            "root ::= x",
        ),
        (choice, "grammar", r#"root ::= "a\"b" | "c\\\n""#),
    ];
    for (format, field, expected) in cases {
        let pointer = format!("/{field}");
        assert_eq!(
            sent(TokenWire::LlamacppCompletion, format, &pointer),
            expected
        );
    }
}

#[test]
fn an_adapter_is_named_where_the_engine_looks_for_it() {
    let call = TokenCall {
        is_adapter: true,
        ..TokenCall::new("lora", [1].as_slice(), 16)
    };
    let body = TokenWire::SglangGenerate.encode(&call).expect("a field");
    let value: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(value["lora_path"], "lora");
    for wire in [
        TokenWire::MindieInferToken,
        TokenWire::TrtllmCompletions,
        TokenWire::LlamacppCompletion,
    ] {
        assert_eq!(field(wire.encode(&call)), "model", "{wire:?}");
    }
}

#[test]
fn wishes_go_to_the_engines_that_know_them_and_are_refused_by_the_others() {
    let with = |words: &[&str], ids: &[u32]| TokenCall {
        wishes: Wishes {
            bad_words: words.iter().map(|&word| word.to_owned()).collect(),
            allowed_token_ids: ids.to_vec(),
        },
        ..TokenCall::new("m", [1].as_slice(), 16)
    };
    let sent = |wire: TokenWire, call: &TokenCall| -> Value {
        let body = wire.encode(call).expect("the wire has a field");
        serde_json::from_slice(&body).expect("JSON")
    };
    let both = sent(TokenWire::VllmGenerate, &with(&["a"], &[5]));
    assert_eq!(
        both["sampling_params"]["bad_words"],
        serde_json::json!(["a"])
    );
    assert_eq!(
        both["sampling_params"]["allowed_token_ids"],
        serde_json::json!([5])
    );
    let ids = sent(TokenWire::VllmCompletions, &with(&[], &[5]));
    assert_eq!(ids["allowed_token_ids"], serde_json::json!([5]));
    for wire in TokenWire::ALL.into_iter().skip(1) {
        assert_eq!(
            field(wire.encode(&with(&["a"], &[]))),
            "bad_words",
            "{wire:?}"
        );
    }
    for wire in TokenWire::ALL.into_iter().skip(2) {
        let refused = wire.encode(&with(&[], &[5]));
        assert_eq!(field(refused), "allowed_token_ids", "{wire:?}");
    }
}

fn field<T: std::fmt::Debug>(refused: Result<T, Unsupported>) -> &'static str {
    match refused {
        Err(Unsupported::Field { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

/// A plain call with one wish.
fn with(change: fn(&mut TokenCall)) -> TokenCall {
    let mut call = TokenCall::new("m", [1].as_slice(), 16);
    change(&mut call);
    call
}

#[test]
fn what_trtllm_and_llamacpp_cannot_say_is_refused_by_name() {
    let by_trtllm = [
        (
            with(|call| call.logprobs = Some(LogprobsAsked { top: 1 })),
            "top_logprobs",
        ),
        (
            with(|call| call.cache_salt = Some("s".to_owned())),
            "cache_salt",
        ),
        (with(|call| call.priority = Some(2)), "priority"),
    ];
    for (call, expected) in by_trtllm {
        assert_eq!(field(TokenWire::TrtllmCompletions.encode(&call)), expected);
    }
    let by_llamacpp = [
        (with(|call| call.sampling.n = Some(2)), "n"),
        (
            with(|call| call.sampling.min_tokens = Some(1)),
            "min_tokens",
        ),
        (
            with(|call| call.cache_salt = Some("s".to_owned())),
            "cache_salt",
        ),
        (with(|call| call.priority = Some(1)), "priority"),
        (with(|call| call.sampling.seed = Some(-1)), "seed"),
        (with(|call| call.sampling.seed = Some(0xffff_ffff)), "seed"),
        (
            with(|call| call.format = Format::Regex(String::new())),
            "regex",
        ),
        (
            with(|call| call.format = Format::StructuralTag(json("{}"))),
            "structural_tag",
        ),
    ];
    for (call, expected) in by_llamacpp {
        assert_eq!(field(TokenWire::LlamacppCompletion.encode(&call)), expected);
    }
}

#[test]
fn what_a_wire_cannot_say_is_refused_by_name() {
    let beyond = [
        (with(|call| call.sampling.n = Some(2)), "n"),
        (
            with(|call| call.logprobs = Some(LogprobsAsked { top: 0 })),
            "logprobs",
        ),
        (
            with(|call| call.format = Format::JsonObject),
            "response_format",
        ),
        (
            with(|call| call.format = Format::Regex(String::new())),
            "regex",
        ),
        (
            with(|call| call.cache_salt = Some("s".to_owned())),
            "cache_salt",
        ),
        (
            with(|call| call.sampling.min_tokens = Some(1)),
            "min_tokens",
        ),
        (with(|call| call.sampling.min_p = Some(0.1)), "min_p"),
        (
            with(|call| call.sampling.presence_penalty = Some(0.1)),
            "presence_penalty",
        ),
        (
            with(|call| call.sampling.frequency_penalty = Some(0.1)),
            "frequency_penalty",
        ),
        (
            with(|call| call.sampling.logit_bias = vec![(1, 1.0)]),
            "logit_bias",
        ),
        (
            with(|call| call.sampling.ignore_eos = Some(true)),
            "ignore_eos",
        ),
        (with(|call| call.sampling.seed = Some(0)), "seed"),
    ];
    for (call, expected) in beyond {
        assert_eq!(field(TokenWire::MindieInferToken.encode(&call)), expected);
    }
    let grammar = with(|call| call.format = Format::Grammar(String::new()));
    assert_eq!(
        field(TokenWire::OpenAiCompletions.encode(&grammar)),
        "grammar"
    );
}

#[test]
fn greedy_decoding_is_said_the_way_each_engine_takes_it() {
    let mut call = TokenCall::new("m", [1].as_slice(), 16);
    call.sampling.temperature = Some(0.0);
    call.sampling.top_k = Some(0);
    let sglang = pretty(TokenWire::SglangGenerate, &call);
    assert!(
        sglang.contains("\"temperature\": 0.0") && !sglang.contains("top_k"),
        "{sglang}"
    );
    let mindie = pretty(TokenWire::MindieInferToken, &call);
    assert!(mindie.contains("\"do_sample\": false"), "{mindie}");
    assert!(!mindie.contains("temperature"), "{mindie}");
    call.sampling.top_k = Some(-1);
    let trtllm = pretty(TokenWire::TrtllmCompletions, &call);
    assert!(!trtllm.contains("top_k"), "{trtllm}");
    let llamacpp = pretty(TokenWire::LlamacppCompletion, &call);
    assert!(llamacpp.contains("\"top_k\": 0"), "{llamacpp}");
}

#[test]
fn a_form_that_a_later_call_will_ask_for_is_refused_at_once_and_goes_nowhere() {
    let mut call = TokenCall::new("m", [1, 2], 5);
    call.later_format = Some(Format::JsonObject);
    let refused = TokenWire::MindieInferToken.encode(&call);
    assert!(refused.is_err(), "{refused:?}");
    let now = TokenWire::VllmGenerate.encode(&call).expect("vLLM can");
    call.later_format = None;
    assert_eq!(
        now,
        TokenWire::VllmGenerate.encode(&call).expect("vLLM can")
    );
}
