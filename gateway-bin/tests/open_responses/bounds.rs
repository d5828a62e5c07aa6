//! Counting tokens, contexts that are too small, and requests that are none.

use serde_json::{Value, json};

use crate::rig::{Rig, folder, text};

/// A model whose context is small.
async fn cramped() -> Rig {
    let files = folder().display().to_string();
    Rig::with_model(&format!(
        "tokens: {{files: \"{files}\", context_tokens: 200}}"
    ))
    .await
}

fn turns(count: usize) -> Vec<Value> {
    let turn = |n: usize| {
        let user = json!({"role": "user", "content": format!("This is question number {n}, and it is long enough.")});
        [user, json!({"role": "assistant", "content": "Yes."})]
    };
    let mut turns: Vec<Value> = (0..count).flat_map(turn).collect();
    turns.push(json!({"role": "user", "content": "Hi"}));
    turns
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_counted_as_they_are_used() {
    let rig = Rig::start().await;
    let body = json!({"model": "m", "input": "Hi", "instructions": "Be kind."});
    let counted = rig
        .post("/v1/responses/input_tokens", body.clone())
        .await
        .json();
    assert_eq!(counted["object"], "response.input_tokens");
    assert_eq!(rig.engine.stats().requests, 0);
    let used = &rig.respond(body).await["usage"]["input_tokens"];
    assert_eq!(&counted["input_tokens"], used);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_is_too_long_is_refused_or_shortened() {
    let rig = cramped().await;
    let (status, code, _) = rig.refused(json!({"input": turns(40)})).await;
    assert_eq!((status, code.as_str()), (400, "context_length_exceeded"));
    assert_eq!(rig.engine.stats().requests, 0, "no engine was asked");
    let response = rig
        .respond(json!({"input": turns(40), "truncation": "auto", "max_output_tokens": 16}))
        .await;
    assert_eq!(text(&response), "Hello there, friend.");
    let used = response["usage"]["input_tokens"].as_u64().expect("a count");
    assert!((100..200).contains(&used), "as much as fits: {used}");
    let huge = json!([{"role": "user", "content": "long ".repeat(400)}]);
    let (status, code, _) = rig
        .refused(json!({"input": huge, "truncation": "auto"}))
        .await;
    assert_eq!((status, code.as_str()), (400, "context_length_exceeded"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_by_its_path() {
    let rig = Rig::start().await;
    for (body, param) in [
        (json!({"input": 7}), "input"),
        (json!({"input": []}), "input"),
        (
            json!({"input": [{"type": "message", "role": "pirate", "content": "Arr"}]}),
            "input[0].role",
        ),
        (json!({"input": [{"type": "mystery"}]}), "input[0].type"),
        (json!({"input": "Hi", "temperature": "warm"}), "temperature"),
        (json!({"input": "Hi", "tools": "all"}), "tools"),
        (json!({"input": "Hi", "truncation": "some"}), "truncation"),
        (json!({"input": "Hi", "generate": false}), "generate"),
    ] {
        let (status, _, told) = rig.refused(body.clone()).await;
        assert_eq!((status, told.as_deref()), (400, Some(param)), "{body}");
    }
    let unknown = rig.refused(json!({"model": "none", "input": "Hi"})).await;
    assert_eq!((unknown.0, unknown.1.as_str()), (404, "model_not_found"));
    assert_eq!(rig.engine.stats().requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_and_paths_are_told_apart() {
    let rig = Rig::start().await;
    for (method, path, status, allow) in [
        ("DELETE", "/v1/responses", 405, Some("GET, POST")),
        ("POST", "/v1/responses/resp_1", 405, Some("GET, DELETE")),
        ("GET", "/v1/responses/compact", 405, Some("POST")),
        ("GET", "/v1/responses/resp_1/more", 404, None),
        ("GET", "/v1/responses", 426, None),
        (
            "POST",
            "/v1/conversations/conv_1/items/msg_1",
            405,
            Some("GET, DELETE"),
        ),
    ] {
        let reply = rig.ask(crate::rig::KEY, method, path, &Value::Null).await;
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
        assert_eq!(
            reply.headers.get("allow").map(String::as_str),
            allow,
            "{method} {path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_routes_are_counted() {
    let rig = Rig::start().await;
    let body = json!({"model": "m", "input": "Hi"});
    rig.post("/v1/responses/input_tokens", body.clone()).await;
    rig.post("/v1/responses/compact", body).await;
    rig.post("/v1/conversations", json!({})).await;
    rig.get("/v1/responses/resp_none").await;
    rig.ask("gw-nobody", "GET", "/v1/responses/resp_none", &Value::Null)
        .await;
    let page = rig.gateway.metrics();
    for (model, status, count) in [
        ("m", 200, 2),
        ("other", 200, 1),
        ("other", 404, 1),
        ("other", 401, 1),
    ] {
        let line = format!(
            "gateway_requests_total{{api=\"responses\",model=\"{model}\",status=\"{status}\"}} {count}"
        );
        assert!(page.lines().any(|found| found == line), "{line}: {page}");
    }
}
