//! What the engine refuses, and in which words.

mod support;

use gateway_sim::engine::SimConfig;
use serde_json::{Value, json};
use support::*;

#[tokio::test]
async fn refusals_are_vllms() {
    let engine = start(config()).await;
    let path = "/v1/chat/completions";
    let refusal = async |body: Value| {
        let reply = fetch(&engine, post(path, &body)).await;
        let error = reply.json()["error"].clone();
        assert_eq!(error["code"], reply.status.as_u16());
        (
            reply.status.as_u16(),
            error["type"].as_str().expect("a type").to_owned(),
            error["param"].clone(),
        )
    };
    let bad = |param: &str| (400, "BadRequestError".to_owned(), Value::from(param));
    let invalid = |param: &str| (400, "Bad Request".to_owned(), Value::from(param));
    assert_eq!(
        refusal(json!({"model": "nope", "messages": []})).await,
        (404, "NotFoundError".to_owned(), json!("model"))
    );
    assert_eq!(
        refusal(json!({"model": "demo"})).await,
        invalid("body.messages")
    );
    assert_eq!(refusal(json!([])).await, invalid("body"));
    assert_eq!(
        refusal(chat("x", &json!({"max_tokens": "ten"}))).await,
        invalid("body.max_tokens")
    );
    assert_eq!(
        refusal(chat("x", &json!({"max_tokens": 0}))).await,
        bad("max_tokens")
    );
    assert_eq!(
        refusal(chat("x", &json!({"temperature": -1}))).await,
        bad("temperature")
    );
    assert_eq!(refusal(chat("x", &json!({"n": 1_000_000}))).await, bad("n"));
    assert_eq!(
        refusal(chat("x", &json!({"stream": "yes"}))).await,
        invalid("body.stream")
    );
    assert_eq!(
        refusal(chat(&"y".repeat(20_000), &json!({"stream": true}))).await,
        bad("input_tokens")
    );
    assert_eq!(engine.stats().submitted, 0);

    let broken = fetch(&engine, raw_post(path, "{\"model\": ".to_owned())).await;
    assert_eq!(
        (broken.status.as_u16(), &broken.json()["error"]["param"]),
        (400, &json!("body.9"))
    );
    let deep = fetch(&engine, raw_post(path, "[".repeat(100_000))).await;
    assert_eq!(deep.status, 400);
    let many = json!({"prompt": vec!["x"; 5_000]});
    assert_eq!(
        fetch(&engine, post("/v1/completions", &many)).await.status,
        400
    );
    let missing = fetch(&engine, get("/v1/nope")).await;
    assert_eq!(
        (missing.status.as_u16(), missing.json()),
        (404, json!({"detail": "Not Found"}))
    );
    let wrong = fetch(&engine, get(path)).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.json()),
        (405, json!({"detail": "Method Not Allowed"}))
    );
    assert_eq!(wrong.headers["allow"], "POST");
    let token = json!({"token_ids": [99_999_999], "sampling_params": {}});
    let reply = fetch(&engine, post("/inference/v1/generate", &token))
        .await
        .json();
    assert_eq!(
        reply["error"]["message"],
        "Token id 99999999 is out of vocabulary"
    );
}

#[tokio::test]
async fn an_answer_is_cut_at_the_end_of_the_context() {
    let engine = start(config()).await;
    let body =
        json!({"model": "demo", "prompt": vec![900; 4_000], "max_tokens": 500, "ignore_eos": true});
    let reply = fetch(&engine, post("/v1/completions", &body)).await.json();
    assert_eq!(reply["usage"]["completion_tokens"], 96);
    assert_eq!(reply["choices"][0]["finish_reason"], "length");
}

#[tokio::test]
async fn a_key_guards_what_it_should() {
    let engine = start(SimConfig {
        api_key: Some("sesame".to_owned()),
        ..config()
    })
    .await;
    let refused = post_chat(&engine, "x", json!({})).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json()),
        (401, json!({"error": "Unauthorized"}))
    );
    assert_eq!(fetch(&engine, get("/health")).await.status, 200);
    let mut request = post("/v1/chat/completions", &chat("x", &json!({})));
    request
        .headers_mut()
        .insert("authorization", "Bearer sesame".parse().expect("a header"));
    request
        .headers_mut()
        .insert("x-request-id", "mine".parse().expect("a header"));
    let reply = fetch(&engine, request).await;
    assert_eq!(reply.json()["id"], "chatcmpl-mine");
    assert_eq!(reply.headers["x-request-id"], "mine");
    assert_eq!(
        engine.last_request().headers["authorization"],
        "Bearer sesame"
    );
}

#[tokio::test]
async fn a_full_queue_refuses_further_requests() {
    let mut config = SimConfig {
        max_queued_requests: Some(1),
        time_scale: 1.0,
        ..config()
    };
    config.engine.max_sequences = 1;
    let engine = start(config).await;
    let mut held = Vec::new();
    let body = chat("x", &json!({"stream": true, "ignore_eos": true}));
    for (running, waiting) in [(1, 0), (1, 1)] {
        let mut connection = Connection::open(engine.addr()).await.expect("a connection");
        let request = post("/v1/chat/completions", &body);
        held.push((connection.send(request).await.expect("headers"), connection));
        until(|| (engine.stats().running, engine.stats().waiting) == (running, waiting)).await;
    }
    let refused = post_chat(&engine, "x", json!({})).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["error"]["type"], "Service Unavailable");
    assert_eq!(engine.stats().rejected, 1);
}
