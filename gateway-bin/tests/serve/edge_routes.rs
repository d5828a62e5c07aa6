//! What is answered without an engine, and what engines are given as it came.

use gateway_bin::Options;
use serde_json::{Value, json};

use crate::{
    edge_rig::{CHAT, Edge, MESSAGES, RESPONSES, folder, models, post},
    rig::{self, KEY},
    wire,
};

fn turns() -> Value {
    json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is Rome?"}])
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_what_the_model_gets() {
    let edge = Edge::start("Italy.", "").await;
    let told = edge
        .say(
            "/tokenize",
            json!({"messages": turns(), "return_token_strs": true}),
        )
        .await;
    let tokens = told["tokens"].as_array().expect("tokens");
    assert_eq!(told["count"], tokens.len());
    assert_eq!(told["max_model_len"], 8192);
    let texts = told["token_strs"].as_array().expect("texts");
    assert_eq!(
        (texts.len(), &texts[0]),
        (tokens.len(), &json!("<|im_start|>"))
    );

    let body = json!({"model": "m", "max_tokens": 9, "system": "Be brief.",
        "messages": [{"role": "user", "content": "Where is Rome?"}]});
    let counted = edge
        .say("/v1/messages/count_tokens?beta=true", body.clone())
        .await;
    assert_eq!(counted, json!({"input_tokens": told["count"]}));
    assert_eq!(edge.engine.stats().requests, 0);

    let message = edge.say("/v1/messages?beta=true", body).await;
    let usage = &message["usage"];
    let read = usage["input_tokens"]
        .as_u64()
        .zip(usage["cache_read_input_tokens"].as_u64());
    assert_eq!(
        read.map(|(new, cached)| new + cached),
        told["count"].as_u64()
    );

    let back = edge.say("/detokenize", json!({"tokens": tokens})).await;
    let text = back["prompt"].as_str().expect("text");
    assert!(
        text.starts_with("<|im_start|>system\nBe brief.<|im_end|>"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_encoded_as_completions_encode_them() {
    let edge = Edge::start("x", "").await;
    let one = edge
        .say("/v1/tokenize", json!({"model": "m", "prompt": "Rome"}))
        .await;
    assert!(
        one["tokens"][0].is_u64() && one["token_strs"].is_null(),
        "{one}"
    );
    let many = edge
        .say("/tokenize", json!({"prompt": ["Rome", "Rome"]}))
        .await;
    assert_eq!(many["tokens"], json!([one["tokens"], one["tokens"]]));
    assert_eq!(many["count"], 2 * one["count"].as_u64().expect("a count"));
}

#[tokio::test(flavor = "multi_thread")]
async fn native_routes_reach_the_engine_and_unknown_tokens_do_not() {
    let edge = Edge::start("Italy.", "").await;
    let tokens = edge.say("/tokenize", json!({"messages": turns()})).await["tokens"].clone();
    let streamed = json!({"model": "m", "token_ids": tokens, "stream": true, "sampling_params": {"max_tokens": 8}});
    let reply = edge
        .post("/inference/v1/generate", streamed.to_string())
        .await;
    assert!(reply.body.contains("data: [DONE]"), "{reply:?}");

    let before = edge.engine.stats().requests;
    assert_eq!(before, 1);
    for (path, body, member) in [
        ("/generate", json!({"input_ids": [1, 4105]}), "input_ids"),
        (
            "/generate",
            json!({"input_ids": [[1], [4105]]}),
            "input_ids",
        ),
        (
            "/inference/v1/generate",
            json!({"token_ids": [99999], "sampling_params": {}}),
            "token_ids",
        ),
        ("/detokenize", json!({"tokens": [4105]}), "tokens"),
    ] {
        let reply = edge.post(path, body.to_string()).await;
        let error = reply.error();
        assert_eq!(
            (reply.status, error.1.as_deref()),
            (400, Some(member)),
            "{reply:?}"
        );
    }
    assert_eq!(edge.engine.stats().requests, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn greetings_are_answered_without_a_key() {
    let edge = Edge::start("x", "").await;
    for (method, path, status) in [
        ("HEAD", "/", 200),
        ("HEAD", "/api/hello", 200),
        ("GET", "/", 404),
    ] {
        let raw = wire::request(method, path, &[], b"");
        let reply = wire::exchange(edge.gateway.addr(), &raw).await;
        assert_eq!(reply.status, status, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_the_form_that_their_callers_read() {
    let edge = Edge::start("x", "").await;
    let address = edge.gateway.addr();
    let no_key = |path| async move {
        let raw = wire::request("POST", path, &[("x-api-key", "no")], b"{}");
        wire::exchange(address, &raw).await
    };
    let refused = no_key(MESSAGES).await;
    let body = refused.json();
    assert_eq!((refused.status, &body["type"]), (401, &json!("error")));
    assert_eq!(body["error"]["type"], "authentication_error");
    assert!(body["request_id"].is_string());
    assert_eq!(no_key(CHAT).await.error().0, "invalid_api_key");

    let absent = edge.post("/v1/messages/batches", "{}").await;
    assert_eq!(absent.json()["error"]["type"], "not_found_error");
    let raw = wire::request("GET", MESSAGES, &[("x-api-key", KEY)], b"");
    let method = wire::exchange(address, &raw).await;
    assert_eq!(
        (method.status, &method.json()["type"]),
        (405, &json!("error"))
    );
    let stranger =
        json!({"model": "no", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]});
    let unknown = edge.post(MESSAGES, stranger.to_string()).await;
    assert_eq!(
        unknown.json()["error"]["type"],
        "not_found_error",
        "{unknown:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn media_go_to_the_chat_route_where_configured() {
    // An engine that names what is no text.
    let engines = rig::engines(1, 100.0).await;
    let more = models(&folder(), "    media: pass_through\n");
    let gateway = rig::start(&rig::yaml(&engines, "", &more), Options::default()).await;
    let chat = json!([{"type": "text", "text": "x"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]);
    let message = json!([{"type": "text", "text": "x"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}]);
    for (path, content) in [(CHAT, chat), (MESSAGES, message)] {
        let body = json!({"model": "m", "max_tokens": 4, "messages": [{"role": "user", "content": content}]});
        let reply = post(
            gateway.addr(),
            path,
            &[("x-gateway-explain", "1")],
            body.to_string(),
        )
        .await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.headers["x-gateway-mode"], "text", "{path}");
        let asked = engines[0].last_request();
        let body: Value = serde_json::from_slice(&asked.body).expect("json");
        let part = &body["messages"][0]["content"][1];
        assert_eq!(
            (&*asked.path, &part["type"]),
            (CHAT, &json!("image_url")),
            "{body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_a_decision_tells_how_engines_were_asked() {
    let edge = Edge::start("Italy.", "").await;
    let body = json!({"model": "m", "messages": turns()}).to_string();
    let address = edge.gateway.addr();
    let reply = post(address, CHAT, &[("x-gateway-explain", "1")], &body).await;
    assert_eq!(reply.headers["x-gateway-mode"], "tokens", "{reply:?}");
    let counted: u64 = reply.headers["x-gateway-prompt-tokens"]
        .parse()
        .expect("a number");
    assert_eq!(reply.json()["usage"]["prompt_tokens"], counted);
    let reply = post(address, CHAT, &[], &body).await;
    assert!(!reply.headers.contains_key("x-gateway-mode"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_edge_does_is_counted() {
    let edge = Edge::start("Rome is in Italy.", "").await;
    let mut messages = turns();
    let ask = |messages: &Value| json!({"model": "m", "messages": messages, "stop": ["in"]});
    let answer = edge.say(CHAT, ask(&messages)).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "Rome is ");
    let more = messages.as_array_mut().expect("turns");
    more.push(answer["choices"][0]["message"].clone());
    more.push(json!({"role": "user", "content": "And Athens?"}));
    edge.say(CHAT, ask(&messages)).await;
    assert!(edge.counts("gateway_edge_answers_total{model=\"m\",parser=\"hermes\"} 2"));
    assert!(edge.counts("gateway_edge_stops_total{model=\"m\"} 2"));
    assert!(edge.counts("gateway_edge_prepare_seconds_count{model=\"m\"} 2"));
    assert!(!edge.counts("gateway_edge_kept_tokens_total{model=\"m\"} 0"));
    assert!(!edge.counts("gateway_turn_cache_hits_total{model=\"m\"} 0"));
    let docs = include_str!("../../../docs/metrics.md");
    let page = edge.gateway.metrics();
    let families = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let missing: Vec<_> = families
        .filter(|name| !docs.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "not in docs/metrics.md: {missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_tell_how_engines_were_asked_as_well() {
    let edge = Edge::start("Italy.", "").await;
    let body = json!({"model": "m", "input": "Where is Rome?"}).to_string();
    let explain = [("x-gateway-explain", "1")];
    let reply = post(edge.gateway.addr(), RESPONSES, &explain, body).await;
    assert_eq!(reply.headers["x-gateway-mode"], "tokens", "{reply:?}");
    let counted: u64 = reply.headers["x-gateway-prompt-tokens"]
        .parse()
        .expect("a number");
    assert_eq!(reply.json()["usage"]["input_tokens"], counted);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_texts_are_encoded_and_decoded_whole() {
    let edge = Edge::start("x", "").await;
    let text = "Rome is in Italy. ".repeat(4_000);
    let made = edge
        .say(
            "/tokenize",
            json!({"prompt": text, "return_token_strs": true, "add_special_tokens": false}),
        )
        .await;
    let tokens = made["tokens"].as_array().expect("a list");
    assert_eq!(made["count"], tokens.len());
    let strings = made["token_strs"].as_array().expect("a list");
    assert_eq!(strings.len(), tokens.len());
    let told = edge.say("/detokenize", json!({"tokens": tokens})).await;
    assert_eq!(told, json!({"prompt": text}));
}

#[tokio::test(flavor = "multi_thread")]
async fn media_are_not_counted_where_turns_may_go() {
    let engines = rig::engines(1, 100.0).await;
    let more = models(&folder(), "    media: pass_through\n");
    let gateway = rig::start(&rig::yaml(&engines, "", &more), Options::default()).await;
    let image = json!({"type": "input_image", "image_url": "data:image/png;base64,AA=="});
    let shown = json!({"role": "user", "content": [image]});
    let newest = json!({"role": "user", "content": "And now?"});
    let cut = json!({"model": "m", "input": [shown, newest], "truncation": "auto"});
    let compact = json!({"model": "m", "input": [shown, newest]});
    for (path, body) in [(RESPONSES, cut), ("/v1/responses/compact", compact)] {
        let reply = post(gateway.addr(), path, &[], body.to_string()).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        let asked = engines[0].last_request();
        let body: Value = serde_json::from_slice(&asked.body).expect("json");
        let part = &body["messages"][0]["content"][0]["type"];
        assert_eq!((&*asked.path, part), (CHAT, &json!("image_url")), "{body}");
    }
}
