use insta::assert_debug_snapshot;
use serde_json::json;

use super::*;
use crate::ir::{Format, LogprobsAsked, Tool, ToolChoice};

/// A body that is good but for one member.
fn with(key: &str, value: &Value) -> Value {
    let mut body = json!({"model": "m", "input": "hi"});
    body[key] = value.clone();
    body
}

#[test]
fn what_a_coding_agent_sends() {
    let request = decode_request(sample!("coding_agent.json")).expect("a good request");
    assert_debug_snapshot!("coding_agent_messages", messages(&request));
    let names: Vec<&str> = request
        .request
        .tools
        .iter()
        .map(|tool| match tool {
            Tool::Function { name, .. } => name.as_str(),
            Tool::Other(_) => "other",
        })
        .collect();
    assert_eq!(names, ["exec_command", "apply_patch", "mcp__notes__search"]);
    assert_eq!(request.request.parallel_tool_calls, Some(false));
    assert_eq!(request.request.reasoning.effort.as_deref(), Some("medium"));
    assert!(request.request.include_usage);
    assert!(request.settings.encrypted_reasoning && !request.settings.store);
    assert_eq!(
        request.settings.prompt_cache_key.as_deref(),
        Some("0199a5f0")
    );
    assert_eq!(
        request.settings.client_metadata.raw("originator"),
        Some("\"agent\"")
    );
    assert!(
        request.request.extra.is_empty(),
        "{:?}",
        request.request.extra
    );
}

#[test]
fn tools_are_told_back_whole() {
    let request = decode_request(sample!("coding_agent.json")).expect("a good request");
    let (_, stream) = written(&request, Framing::Silent, &[]);
    let object: Value = serde_json::from_slice(&stream.response().to_json()).expect("JSON");
    let kinds: Vec<&str> = object["tools"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|tool| tool["type"].as_str().expect("a word"))
        .collect();
    assert_eq!(kinds, ["function", "custom", "web_search", "namespace"]);
    assert_eq!(object["tools"][0]["strict"], false);
    assert_eq!(object["tools"][3]["tools"][0]["name"], "search");
}

#[test]
fn names_that_meet_are_kept_apart() {
    let function = |name: &str| json!({"type": "function", "name": name});
    let tools = json!([
        {"type": "namespace", "name": "a", "tools": [function("b__c")]},
        {"type": "namespace", "name": "a__b", "tools": [function("c")]},
        function("a__b__c"),
    ]);
    let request = request(&with("tools", &tools));
    assert_eq!(request.names.flat(Some("a"), "b__c"), "a__b__c_2");
    assert_eq!(request.names.flat(Some("a__b"), "c"), "a__b__c_3");
    let named = request.names.of("a__b__c_3").expect("a nested tool");
    assert_eq!(
        (named.namespace.as_deref(), &*named.name),
        (Some("a__b"), "c")
    );
    assert_eq!(request.names.of("a__b__c"), None);
}

#[test]
fn choices_of_tools() {
    let tools = json!([
        {"type": "function", "name": "look"},
        {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}]},
        {"type": "web_search"},
    ]);
    let choice = |choice: Value| {
        let mut body = with("tools", &tools);
        body["tool_choice"] = choice;
        decode_request(body.to_string().as_bytes()).map(|request| request.request.tool_choice)
    };
    let named = |name: &str| ToolChoice::Named(name.to_owned());
    let good = |choice_: Value| choice(choice_).expect("a good choice");
    assert_eq!(good(json!("required")), ToolChoice::Required);
    assert_eq!(
        good(json!({"type": "function", "name": "look"})),
        named("look")
    );
    let nested = json!({"type": "function", "name": "f", "namespace": "n"});
    assert_eq!(good(nested), named("n__f"));
    let allowed = json!({"type": "allowed_tools", "mode": "required",
        "tools": [{"type": "function", "name": "look"}, {"type": "web_search"}]});
    let expected = ToolChoice::Allowed {
        names: vec!["look".to_owned()],
        required: true,
    };
    assert_eq!(good(allowed), expected);
    let bad = |choice_: Value| choice(choice_).expect_err("a bad choice");
    assert_eq!(
        bad(json!({"type": "web_search"})).code,
        Some("unsupported_tool")
    );
    let unknown = bad(json!({"type": "function", "name": "gone"}));
    assert_eq!(unknown.path.as_deref(), Some("tool_choice.name"));
    let none_left = bad(json!({"type": "allowed_tools", "tools": [{"type": "web_search"}]}));
    assert_eq!(none_left.path.as_deref(), Some("tool_choice.tools"));
    bad(json!("always"));
    bad(json!(5));
}

#[test]
fn formats() {
    let format = |format: Value| {
        request(&with("text", &json!({"format": format})))
            .request
            .format
    };
    assert_eq!(format(json!({"type": "json_object"})), Format::JsonObject);
    let schema = format(
        json!({"type": "json_schema", "name": "s", "strict": true, "schema": {"type": "object"}}),
    );
    let Format::JsonSchema {
        name,
        schema,
        strict,
        ..
    } = schema
    else {
        panic!("no schema")
    };
    assert_eq!((name.as_deref(), strict), (Some("s"), true));
    assert_eq!(schema.as_str(), r#"{"type":"object"}"#);
}

#[test]
fn numbers_and_log_probabilities() {
    let body = json!({"model": "m", "input": "hi", "temperature": 0.5, "top_p": 1, "max_output_tokens": 7,
        "top_k": 3, "stop": "x", "include": ["message.output_text.logprobs"]});
    let request = request(&body).request;
    assert_eq!(request.sampling.temperature, Some(0.5));
    assert_eq!(request.sampling.max_tokens, Some(7));
    assert_eq!(request.sampling.top_k, Some(3));
    assert_eq!(request.stops, ["x"]);
    assert_eq!(request.logprobs, Some(LogprobsAsked { top: 0 }));
}

#[test]
fn unknown_members_survive() {
    let request = request(&with("moderation", &json!({"a": 1.50})));
    assert_eq!(
        request.request.extra.raw("moderation"),
        Some(r#"{"a":1.5}"#)
    );
}

#[test]
fn bad_members_are_named() {
    let cases = [
        (with("model", &json!(5)), "model"),
        (with("input", &json!(5)), "input"),
        (with("input", &json!([])), "input"),
        (with("input", &json!({"role": "user"})), "input"),
        (with("store", &json!("yes")), "store"),
        (with("temperature", &json!(2.5)), "temperature"),
        (with("top_logprobs", &json!(21)), "top_logprobs"),
        (with("max_output_tokens", &json!(0)), "max_output_tokens"),
        (with("max_output_tokens", &json!(-4)), "max_output_tokens"),
        (with("metadata", &json!({"a": 5})), "metadata.a"),
        (with("metadata", &json!({"a": "x".repeat(513)})), "metadata"),
        (with("truncation", &json!("some")), "truncation"),
        (
            with("text", &json!({"format": {"type": "xml"}})),
            "text.format.type",
        ),
        (
            with(
                "text",
                &json!({"format": {"type": "json_schema", "name": "a"}}),
            ),
            "text.format.schema",
        ),
        (with("reasoning", &json!({"effort": 3})), "reasoning.effort"),
        (
            with("tools", &json!([{"type": "function"}])),
            "tools[0].name",
        ),
        (
            with("tools", &json!([{"type": "teleport"}])),
            "tools[0].type",
        ),
        (
            with(
                "tools",
                &json!([{"type": "function", "name": "a"}, {"type": "custom", "name": "a"}]),
            ),
            "tools[1].name",
        ),
        (
            with(
                "tools",
                &json!([{"type": "function", "name": "a", "parameters": 4}]),
            ),
            "tools[0].parameters",
        ),
        (
            with(
                "tools",
                &json!([{"type": "namespace", "name": "n", "tools":
                [{"type": "function", "name": "a"}, {"type": "function", "name": "a"}]}]),
            ),
            "tools[0].tools[1].name",
        ),
        (with("tools", &json!(["a"])), "tools[0]"),
        (with("prompt", &json!({"id": "pmpt_1"})), "prompt"),
        (with("conversation", &json!({})), "conversation.id"),
        (json!({"model": "m"}), "input"),
        (json!({"input": "hi"}), "model"),
        (json!({"model": "", "input": "hi"}), "model"),
        (
            json!({"model": "m", "input": "a", "previous_response_id": "a", "conversation": "b"}),
            "previous_response_id",
        ),
        (
            json!({"model": "m", "input": "a", "background": true, "store": false}),
            "background",
        ),
    ];
    for (body, path) in cases {
        let fault = refused(&body);
        assert_eq!(fault.path.as_deref(), Some(path), "{body} gave {fault:?}");
        assert!(fault.message.ends_with('.'), "{}", fault.message);
    }
    assert_eq!(
        decode_request(b"[1]").expect_err("no object").code,
        Some("invalid_json")
    );
}
