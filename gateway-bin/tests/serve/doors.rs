//! Routes, methods, ids.

use crate::{
    rig::{CHAT, KEY, Plan, Rig},
    wire::{exchange, get, request},
};

#[tokio::test(flavor = "multi_thread")]
async fn unknown_routes_and_methods_are_told() {
    let rig = Rig::start(Plan::default()).await;
    for (method, path, status, code) in [
        ("GET", "/", 404, "unknown_url"),
        ("POST", "/v1/unheard-of", 404, "unknown_url"),
        ("GET", "/v1/models/", 404, "unknown_url"),
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("DELETE", "/health", 405, "method_not_allowed"),
    ] {
        let reply = exchange(
            rig.addr(),
            &request(method, path, &[("x-api-key", KEY)], b""),
        )
        .await;
        assert_eq!(
            (reply.status, reply.error().0.as_str()),
            (status, code),
            "{method} {path}"
        );
        assert_eq!(reply.headers.contains_key("allow"), status == 405);
    }
    let head = exchange(rig.addr(), &request("HEAD", "/health", &[], b"")).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reply_carries_the_requests_id() {
    let rig = Rig::start(Plan::default()).await;
    let told = rig.chat(&[("x-request-id", "abc-1")], CHAT).await;
    assert_eq!(told.headers["x-request-id"], "abc-1");
    let made = rig.chat(&[], CHAT).await;
    assert_eq!(made.headers["x-request-id"].len(), 24);
    let refused = get(rig.addr(), "/nowhere", &[("x-request-id", "abc-2")]).await;
    assert_eq!(refused.headers["x-request-id"], "abc-2");
    assert!(
        refused.body.contains("abc-2"),
        "errors say it in words as well: {}",
        refused.body
    );
    let insane = rig.chat(&[("x-request-id", &"x".repeat(500))], CHAT).await;
    assert_eq!(insane.headers["x-request-id"].len(), 24);
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_and_streams_pass() {
    let rig = Rig::start(Plan::default()).await;
    let body = br#"{"model":"m","prompt":"once","max_tokens":3,"stream":true}"#;
    let reply = exchange(
        rig.addr(),
        &request("POST", "/v1/completions", &[("api-key", KEY)], body),
    )
    .await;
    assert_eq!(reply.status, 200);
    assert!(reply.headers["content-type"].starts_with("text/event-stream"));
    assert!(reply.body.contains("data: [DONE]"), "{}", reply.body);
    let page = rig.gateway.metrics();
    assert!(
        page.contains("gateway_requests_total{api=\"completions\",model=\"m\",status=\"200\"} 1"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_may_have_an_address_of_their_own() {
    let rig = Rig::start(Plan {
        more: "metrics: {listen: \"127.0.0.1:0\"}\n",
        ..Plan::default()
    })
    .await;
    let apart = rig.gateway.metrics_addr().expect("told");
    assert_eq!(get(rig.addr(), "/metrics", &[]).await.status, 404);
    let page = get(apart, "/metrics", &[]).await;
    assert!(
        page.body.contains("gateway_endpoint_up{endpoint=\"e0\"} 1"),
        "{}",
        page.body
    );
    assert_eq!(
        get(apart, "/v1/models", &[("x-api-key", KEY)]).await.status,
        404,
        "clients are not served there"
    );
}
