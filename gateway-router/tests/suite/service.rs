//! The router as a `tower` service.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use gateway_router::ReplyBody;
use http::{Method, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tower::Service;

use crate::common::{
    rig::{Rig, settings},
    script::{ScriptEngine, say},
    sim,
    wire::{self, DONE, ONE, STOP},
    within,
};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;

async fn call(rig: &Rig, method: Method, path: &str, body: &str) -> Response<ReplyBody> {
    let mut request = Request::new(Full::new(Bytes::from(body.to_owned())));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().expect("a path");
    request
        .headers_mut()
        .insert("x-request-id", "r-3".parse().expect("a value"));
    let mut service = rig.router.clone();
    within(service.call(request))
        .await
        .unwrap_or_else(|never| match never {})
}

async fn text(reply: Response<ReplyBody>) -> String {
    let whole = within(reply.into_body().collect())
        .await
        .unwrap_or_else(|never| match never {});
    String::from_utf8(whole.to_bytes().to_vec()).expect("text")
}

/// The status, and the `code` of an error in OpenAI's shape that names the request.
async fn refused(reply: Response<ReplyBody>) -> (u16, String) {
    assert_eq!(reply.headers()["content-type"], "application/json");
    let status = reply.status().as_u16();
    let said = text(reply).await;
    let error: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let message = error["error"]["message"].as_str().expect("a message");
    assert!(message.contains("r-3"), "{message}");
    (
        status,
        error["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}

#[tokio::test]
async fn serves_both_routes() {
    let engine = ScriptEngine::good().await;
    let rig = Rig::new(&[engine.addr]);
    let chat = call(&rig, Method::POST, "/v1/chat/completions?x=1", CHAT).await;
    assert_eq!(
        (chat.status().as_u16(), text(chat).await.as_str()),
        (200, wire::ANSWER)
    );
    let completion = call(
        &rig,
        Method::POST,
        "/v1/completions",
        r#"{"model":"m","prompt":"x"}"#,
    )
    .await;
    assert_eq!(completion.status(), 200);
    let paths: Vec<_> = engine
        .heard()
        .iter()
        .map(|heard| heard.head.contains("/chat/"))
        .collect();
    assert_eq!(paths, [true, false]);
    assert_eq!(engine.heard()[0].header("x-request-id"), Some("r-3"));
}

#[tokio::test]
async fn streams() {
    let engine = ScriptEngine::always(say(wire::whole_stream(&[ONE, STOP, DONE]))).await;
    let rig = Rig::new(&[engine.addr]);
    let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let reply = call(&rig, Method::POST, "/v1/chat/completions", body).await;
    assert_eq!(
        reply.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
    assert_eq!(text(reply).await, [ONE, STOP, DONE].concat());
}

#[tokio::test]
async fn refuses_what_it_does_not_serve() {
    let engine = ScriptEngine::good().await;
    let mut told = settings(&[engine.addr]);
    told.limits.request_bytes = 100;
    let rig = Rig::with(told);
    let unknown = call(&rig, Method::POST, "/v1/embeddings", CHAT).await;
    assert_eq!(refused(unknown).await, (404, "unknown_url".into()));
    let other = call(&rig, Method::GET, "/v1/chat/completions", "").await;
    assert_eq!(other.headers()["allow"], "POST");
    assert_eq!(refused(other).await, (405, "method_not_allowed".into()));
    let large = format!(
        r#"{{"model":"m","messages":[],"pad":"{}"}}"#,
        "x".repeat(100)
    );
    let large = call(&rig, Method::POST, "/v1/chat/completions", &large).await;
    assert_eq!(refused(large).await, (413, "request_too_large".into()));
    let nobody = call(
        &rig,
        Method::POST,
        "/v1/chat/completions",
        r#"{"model":"x","messages":[{"role":"user","content":"hi"}]}"#,
    )
    .await;
    assert_eq!(refused(nobody).await, (404, "model_not_found".into()));
    for bad in [
        "",
        "{",
        "[]",
        r#"{"model":7,"messages":[]}"#,
        "\u{0}",
        r#"{"messages":[]}"#,
    ] {
        let reply = call(&rig, Method::POST, "/v1/chat/completions", bad).await;
        assert_eq!(refused(reply).await.0, 400, "{bad:?}");
    }
    assert_eq!(engine.accepted(), 0, "nothing of that reached an engine");
}

#[tokio::test]
async fn an_engines_refusal_is_told_in_openais_shape() {
    let engine = sim::start().await;
    let rig = Rig::new(&[engine.addr()]);
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":"hot"}"#;
    let reply = call(&rig, Method::POST, "/v1/chat/completions", body).await;
    assert_eq!(refused(reply).await.0, 400);
}

/// Gives its bytes, then fails.
struct Broken(Option<Bytes>);

impl Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let next = self.0.take().map(Frame::data);
        Poll::Ready(Some(next.ok_or_else(|| std::io::Error::other("gone"))))
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_the_callers_error() {
    let rig = Rig::new(&[]);
    let broken = Broken(Some(Bytes::from_static(b"{\"model\"")));
    let request = Request::post("/v1/completions").header("x-request-id", "r-3");
    let request = request.body(broken).expect("a request");
    let reply = rig
        .router
        .clone()
        .call(request)
        .await
        .unwrap_or_else(|never| match never {});
    assert_eq!(refused(reply).await.0, 400);
}
