//! Bodies that are no requests, in every dialect that goes through the neutral form: refused in the caller's form with the
//! member's name, before any engine is asked.

use serde_json::{Value, json};

use crate::edge_rig::{CHAT, COMPLETIONS, Edge, MESSAGES, RESPONSES, folder, models};

/// A body, and the member that is at fault; empty where that is the body itself.
type Case = (String, &'static str);

/// Posts each and expects a refusal that names the member.
async fn refused(edge: &Edge, path: &str, cases: Vec<Case>) {
    for (body, member) in cases {
        let reply = edge.post(path, &body).await;
        let shown: String = body.chars().take(160).collect();
        assert_eq!(reply.status, 400, "{path} {shown}: {reply:?}");
        let told = reply.json();
        let error = &told["error"];
        let message = error["message"].as_str().expect("a message");
        assert!(message.len() < 600, "{message}");
        if path == MESSAGES {
            assert_eq!(
                (&told["type"], &error["type"]),
                (&json!("error"), &json!("invalid_request_error"))
            );
            assert!(
                told["request_id"].is_string() && message.contains(member),
                "{shown}: {told}"
            );
        } else {
            assert_eq!(error["type"], "invalid_request_error", "{shown}: {told}");
            assert_eq!(
                error["param"].as_str().unwrap_or_default(),
                member,
                "{shown}: {told}"
            );
        }
    }
    assert_eq!(edge.engine.stats().requests, 0, "an engine was asked");
}

fn deep(levels: usize) -> String {
    format!(
        "{}{}",
        r#"{"a":"#.repeat(levels),
        format_args!("1{}", "}".repeat(levels))
    )
}

/// What no dialect takes, with a body that is cut short.
fn not_json(good: &Value) -> Vec<Case> {
    let good = good.to_string();
    let nested = format!("{},\"x\":{}}}", &good[..good.len() - 1], deep(10_000));
    [
        String::new(),
        good[..good.len() - 1].to_owned(),
        format!("[{good}]"),
        format!("{good}x"),
        nested,
    ]
    .map(|body| (body, ""))
    .into()
}

/// `base` with these members, each wrong.
fn wrong<const N: usize>(base: &Value, members: [(Value, &'static str); N]) -> Vec<Case> {
    let with = |(members, at): (Value, &'static str)| {
        let mut body = base.clone();
        let body_of = body.as_object_mut().expect("an object");
        body_of.extend(members.as_object().expect("members").clone());
        (body.to_string(), at)
    };
    members.into_iter().map(with).collect()
}

fn schema(levels: usize) -> Value {
    serde_json::from_str(&deep(levels)).expect("JSON")
}

/// Many tools, each made by `one`.
fn tools(one: impl Fn(usize) -> Value) -> Value {
    (0..10_000).map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn chats() {
    let edge = Edge::start("x", "").await;
    let good = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    refused(&edge, CHAT, not_json(&good)).await;
    let function = |name: &str, parameters: Value| json!({"type": "function", "function": {"name": name, "parameters": parameters}});
    let said = |message: Value| json!({"messages": [message]});
    let cases = wrong(
        &good,
        [
            (json!({"messages": "hi"}), "messages"),
            (json!({"messages": []}), "messages"),
            (json!({"temperature": "hot"}), "temperature"),
            (json!({"logit_bias": {"4105": 1}}), "logit_bias"),
            (json!({"stop_token_ids": [4105]}), "stop_token_ids[0]"),
            (json!({"n": 0}), "n"),
            (json!({"tool_choice": "required"}), "tool_choice"),
            (
                json!({"tools": [function("f", schema(70))]}),
                "tools[0].function.parameters",
            ),
            (
                json!({"tools": tools(|at| function(&format!("f{at}"), json!({})))}),
                "tools",
            ),
            (json!({"chat_template": "{{ messages }}"}), "chat_template"),
            (
                json!({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": 7}}}, "stop": [""]}),
                "stop[0]",
            ),
            (
                said(json!({"role": "wizard", "content": "x"})),
                "messages[0].role",
            ),
            (said(json!({"role": 7, "content": "x"})), "messages[0].role"),
            (said(json!({"role": "user"})), "messages[0].content"),
            (
                said(json!({"role": "tool", "tool_call_id": "a", "content": "x"})),
                "messages[0].tool_call_id",
            ),
            (
                said(
                    json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}),
                ),
                "messages[0].content[0]",
            ),
        ],
    );
    refused(&edge, CHAT, cases).await;
    assert_eq!(
        edge.post(CHAT, good.to_string()).await.status,
        200,
        "and the gateway goes on"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn completions() {
    let edge = Edge::start("x", "").await;
    let good = json!({"model": "m", "prompt": "hi", "max_tokens": 2});
    refused(&edge, COMPLETIONS, not_json(&good)).await;
    let cases = wrong(
        &good,
        [
            (json!({"prompt": 7}), "prompt"),
            (json!({"prompt": ""}), "prompt"),
            (json!({"prompt": []}), "prompt"),
            (json!({"prompt": [1, 4105]}), "prompt[1]"),
            (
                json!({"prompt": [[1], [4_294_967_295_u32]]}),
                "prompt[1][0]",
            ),
            (json!({"max_tokens": -1}), "max_tokens"),
            (json!({"stop": 7}), "stop"),
        ],
    );
    refused(&edge, COMPLETIONS, cases).await;
    assert_eq!(edge.post(COMPLETIONS, good.to_string()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages() {
    let edge = Edge::start("x", "").await;
    let good =
        json!({"model": "m", "max_tokens": 4, "messages": [{"role": "user", "content": "hi"}]});
    refused(&edge, MESSAGES, not_json(&good)).await;
    let tool = |name: &str, schema: Value| json!({"name": name, "input_schema": schema});
    let said = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
    let cases = wrong(
        &good,
        [
            (json!({"messages": 7}), "messages"),
            (json!({"messages": []}), "messages"),
            (json!({"max_tokens": 0}), "max_tokens"),
            (
                json!({"messages": [{"role": "wizard", "content": "x"}]}),
                "messages.0.role",
            ),
            (json!({"temperature": 9}), "temperature"),
            (json!({"stop_sequences": ["a", ""]}), "stop_sequences"),
            (
                json!({"tools": [tool("f", schema(70))]}),
                "tools.0.input_schema",
            ),
            (
                json!({"tools": tools(|at| tool(&format!("f{at}"), json!({})))}),
                "tools",
            ),
            (
                json!({"tools": [tool("f", json!({}))], "tool_choice": {"type": "tool", "name": "g"}}),
                "tool_choice",
            ),
            (
                said(json!([{"type": "tool_result", "tool_use_id": "a", "content": "x"}])),
                "messages",
            ),
            (
                said(json!([{"type": "image", "source": {"type": "url", "url": "http://u"}}])),
                "messages",
            ),
            (said(json!([{"type": "text"}])), "messages.0.content.0"),
        ],
    );
    refused(&edge, MESSAGES, cases).await;
    assert_eq!(edge.post(MESSAGES, good.to_string()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn responses() {
    let edge = Edge::start("x", "").await;
    let good = json!({"model": "m", "input": "hi"});
    refused(&edge, RESPONSES, not_json(&good)).await;
    let tool = |name: &str, parameters: Value| json!({"type": "function", "name": name, "parameters": parameters});
    let cases = wrong(
        &good,
        [
            (json!({"input": 7}), "input"),
            (json!({"tools": 7}), "tools"),
            (json!({"temperature": 9}), "temperature"),
            (
                json!({"tools": [tool("f", schema(70))]}),
                "tools[0].parameters",
            ),
            (
                json!({"tools": tools(|at| tool(&format!("f{at}"), json!({})))}),
                "tools",
            ),
            (
                json!({"input": [{"type": "function_call_output", "call_id": "a", "output": "x"}]}),
                "input[0].call_id",
            ),
        ],
    );
    refused(&edge, RESPONSES, cases).await;
    assert_eq!(edge.post(RESPONSES, good.to_string()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_over_the_context_are_told_both_numbers() {
    let edge = Edge::start("x", "").await;
    let long = "word ".repeat(9_000);
    let turns = json!([{"role": "user", "content": long}]);
    for (path, body) in [
        (CHAT, json!({"model": "m", "messages": turns})),
        (COMPLETIONS, json!({"model": "m", "prompt": long})),
        (COMPLETIONS, json!({"model": "m", "prompt": vec![1; 8_192]})),
        (
            MESSAGES,
            json!({"model": "m", "max_tokens": 4, "messages": turns}),
        ),
        (RESPONSES, json!({"model": "m", "input": long})),
    ] {
        let reply = edge.post(path, body.to_string()).await;
        let told = reply.json();
        let message = told["error"]["message"].as_str().expect("a message");
        let numbers = message.split(|c: char| !c.is_ascii_digit());
        let numbers: Vec<u64> = numbers.filter_map(|word| word.parse().ok()).collect();
        assert_eq!(reply.status, 400, "{path}: {told}");
        assert_eq!(numbers[0], 8_192, "{path}: {message}");
        assert!(numbers[1] >= 8_192, "{path}: {message}");
    }
    assert_eq!(edge.engine.stats().requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_refuses_is_quoted() {
    let own = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(folder()).expect("the model") {
        let entry = entry.expect("a file");
        std::fs::copy(entry.path(), own.path().join(entry.file_name())).expect("copied");
    }
    let template = "{{ raise_exception('Roles must alternate') }}";
    std::fs::write(own.path().join("chat_template.jinja"), template).expect("written");
    let edge = Edge::with_models("x", &models(own.path(), "")).await;
    let turns = json!([{"role": "user", "content": "hi"}]);
    for (path, body) in [
        (CHAT, json!({"model": "m", "messages": turns})),
        (
            MESSAGES,
            json!({"model": "m", "max_tokens": 4, "messages": turns}),
        ),
        (RESPONSES, json!({"model": "m", "input": "hi"})),
        ("/tokenize", json!({"model": "m", "messages": turns})),
    ] {
        let reply = edge.post(path, body.to_string()).await;
        assert_eq!(reply.status, 400, "{path}: {reply:?}");
        assert!(
            reply.body.contains("Roles must alternate"),
            "{path}: {reply:?}"
        );
    }
    assert_eq!(edge.engine.stats().requests, 0);
}
