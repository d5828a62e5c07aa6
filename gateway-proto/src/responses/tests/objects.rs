use serde_json::json;

use super::*;
use crate::responses::{
    Conversation, Item, ListQuery, Order, decode_conversation, decode_items, deleted_conversation,
    deleted_response, input_tokens, page,
};

/// What the Open Responses specification (2026-04-24) requires of a response object.
const REQUIRED: [&str; 31] = [
    "id",
    "object",
    "created_at",
    "completed_at",
    "status",
    "incomplete_details",
    "model",
    "previous_response_id",
    "instructions",
    "output",
    "error",
    "tools",
    "tool_choice",
    "truncation",
    "parallel_tool_calls",
    "text",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "temperature",
    "reasoning",
    "usage",
    "max_output_tokens",
    "max_tool_calls",
    "store",
    "background",
    "service_tier",
    "metadata",
    "safety_identifier",
    "prompt_cache_key",
];

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

#[test]
fn every_required_key_is_there_and_of_its_type() {
    let (_, stream) = written(
        &request(&json!({"model": "m", "input": "hi"})),
        Framing::Silent,
        &[],
    );
    let object = parsed(&stream.response().to_json());
    let missing: Vec<&&str> = REQUIRED
        .iter()
        .filter(|key| object.get(key).is_none())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    for number in [
        "temperature",
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "top_logprobs",
    ] {
        assert!(object[number].is_number(), "{number}");
    }
    assert_eq!(object["tool_choice"], "auto");
    assert_eq!(object["service_tier"], "default");
    assert_eq!(object["text"], json!({"format": {"type": "text"}}));
    assert_eq!(object["usage"], Value::Null);
}

#[test]
fn settings_are_told_back() {
    let body = json!({
        "model": "m", "input": "hi", "temperature": 0, "metadata": {"a": "b\n"}, "conversation": {"id": "conv_1"},
        "max_output_tokens": 9, "truncation": "auto", "safety_identifier": "s", "user": "u", "instructions": "I",
        "reasoning": {"effort": "high"}, "text": {"format": {"type": "json_object"}, "verbosity": "low"},
    });
    let mut request = request(&body);
    request.resolve(&[], &[]).expect("a new conversation");
    let (_, stream) = written(&request, Framing::Silent, &[]);
    let object = parsed(&stream.response().to_json());
    for key in [
        "temperature",
        "metadata",
        "conversation",
        "truncation",
        "user",
        "instructions",
        "text",
    ] {
        assert_eq!(
            object[key].to_string().replace("0.0", "0"),
            body[key].to_string(),
            "{key}"
        );
    }
    assert_eq!(
        object["reasoning"],
        json!({"effort": "high", "summary": null})
    );
}

fn items(count: usize) -> Vec<Item> {
    let said = |number| {
        let json =
            json!({"type": "message", "id": format!("m{number}"), "role": "user", "content": "a"});
        Item::from_json(&json.to_string()).expect("an item")
    };
    (0..count).map(said).collect()
}

#[test]
fn pages_meet_without_gaps() {
    let items = items(7);
    let mut query = ListQuery::from_pairs([("limit", "3"), ("order", "asc"), ("include[]", "x")])
        .expect("a query");
    assert_eq!(query.order, Order::Ascending);
    let mut seen = Vec::new();
    loop {
        let page = page(&items, &query).expect("a page");
        let told = parsed(&page.to_json());
        assert_eq!(told["object"], "list");
        assert_eq!(told["has_more"], page.has_more);
        seen.extend(
            page.items
                .iter()
                .filter_map(|item| item.id().map(str::to_owned)),
        );
        query.after = told["last_id"].as_str().map(str::to_owned);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, ["m0", "m1", "m2", "m3", "m4", "m5", "m6"]);
    let newest = page(&items, &ListQuery::default()).expect("a page");
    assert_eq!(newest.items[0].id(), Some("m6"));
    let empty = parsed(&page(&[], &ListQuery::default()).expect("a page").to_json());
    assert_eq!(empty["first_id"], Value::Null);
}

#[test]
fn bad_queries_are_named() {
    for (key, value) in [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "x"),
        ("order", "up"),
    ] {
        let fault = ListQuery::from_pairs([(key, value)]).expect_err("a bad query");
        assert_eq!(fault.path.as_deref(), Some(key));
    }
    let query = ListQuery {
        after: Some("gone".to_owned()),
        ..ListQuery::default()
    };
    assert!(page(&items(2), &query).is_err());
}

#[test]
fn conversations() {
    let empty = decode_conversation(b"").expect("no body is fine");
    assert!(empty.metadata.is_empty() && empty.items.is_empty());
    let body = json!({"metadata": {"a": "b"}, "items": [{"role": "user", "content": "hi"}]});
    let read = decode_conversation(body.to_string().as_bytes()).expect("a body");
    assert_eq!(read.items.len(), 1);
    let conversation = Conversation {
        id: "conv_1".to_owned(),
        created_at: 5,
        metadata: read.metadata,
    };
    let expected =
        json!({"id": "conv_1", "object": "conversation", "created_at": 5, "metadata": {"a": "b"}});
    assert_eq!(parsed(&conversation.to_json()), expected);
    let missing = decode_items(b"{}").expect_err("items must be there");
    assert_eq!(missing.path.as_deref(), Some("items"));
    let many = json!({"items": vec![json!({"role": "user", "content": "a"}); 21]});
    decode_items(many.to_string().as_bytes()).expect_err("too many at once");
}

#[test]
fn small_objects() {
    let deleted = json!({"id": "resp_1", "object": "response.deleted", "deleted": true});
    assert_eq!(parsed(&deleted_response("resp_1")), deleted);
    assert_eq!(
        parsed(&deleted_conversation("c"))["object"],
        "conversation.deleted"
    );
    let count = json!({"object": "response.input_tokens", "input_tokens": 42});
    assert_eq!(parsed(&input_tokens(42)), count);
}
