//! Bodies of OpenAI's routes, as they come.

use bytes::Bytes;
use gateway_router::{
    BoxBody, Deadlines, EngineKind,
    engine::{EngineCall, EngineClient, EngineReply},
    proto::{
        error::{EngineFault, FaultShape},
        openai::Api,
    },
};
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;

use super::{Pair, freed, pairs, polled_until, slow_pairs};
use crate::common::within;

fn call(api: Api, body: &str) -> EngineCall {
    EngineCall {
        api,
        body: Bytes::from(body.to_owned()),
        headers: HeaderMap::new(),
        deadlines: Deadlines::default(),
        is_once: false,
    }
}

async fn send(pair: &Pair, call: EngineCall) -> (u16, String) {
    let reply = within(pair.client.send(call)).await.expect("it answers");
    let status = reply.status.as_u16();
    (status, read(reply).await)
}

async fn read(reply: EngineReply) -> String {
    let whole = within(reply.body.collect())
        .await
        .expect("a whole body")
        .to_bytes();
    String::from_utf8(whole.to_vec()).expect("text")
}

const CHAT: &str = r#"{"model":"m","max_tokens":5,"ignore_eos":true,"messages":[{"role":"user","content":"hello"}]}"#;
const CHAT_STREAM: &str = r#"{"model":"m","max_tokens":5,"ignore_eos":true,"stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
const LONG_STREAM: &str = r#"{"model":"m","max_tokens":4000,"ignore_eos":true,"stream":true,"messages":[{"role":"user","content":"hello"}]}"#;

#[tokio::test]
async fn chat() {
    for pair in pairs().await {
        let (status, said) = send(&pair, call(Api::ChatCompletions, CHAT)).await;
        assert_eq!(status, 200, "{:?}: {said}", pair.kind);
        let reply: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(reply["usage"]["completion_tokens"], 5, "{said}");
        assert_eq!(reply["choices"][0]["finish_reason"], "length");
        assert_eq!(
            pair.engine.last_request().body,
            CHAT.as_bytes(),
            "the body goes as it came"
        );
    }
}

#[tokio::test]
async fn completions() {
    for pair in pairs().await {
        let body = r#"{"model":"m","max_tokens":3,"ignore_eos":true,"prompt":"hello"}"#;
        let (status, said) = send(&pair, call(Api::Completions, body)).await;
        assert_eq!(status, 200, "{:?}: {said}", pair.kind);
        let reply: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(reply["usage"]["completion_tokens"], 3, "{said}");
        assert_eq!(pair.engine.last_request().path, "/v1/completions");
    }
}

#[tokio::test]
async fn streams() {
    for pair in pairs().await {
        let (status, said) = send(&pair, call(Api::ChatCompletions, CHAT_STREAM)).await;
        assert_eq!(status, 200);
        assert!(
            said.starts_with("data: {") && said.ends_with("data: [DONE]\n\n"),
            "{said}"
        );
        assert!(
            said.matches("data: ").count() > 5,
            "a chunk per token: {said}"
        );
    }
}

/// Of each kind in its own shape.
#[tokio::test]
async fn errors_come_with_status_and_body() {
    for pair in pairs().await {
        let (status, said) = send(&pair, call(Api::ChatCompletions, r#"{"model":"m"}"#)).await;
        let fault = EngineFault::parse(status, said.as_bytes());
        let shape = match pair.kind {
            EngineKind::Sglang | EngineKind::TensorRtLlm => FaultShape::Flat,
            EngineKind::Tgi | EngineKind::Mindie => FaultShape::Typed,
            EngineKind::Vllm | EngineKind::LlamaCpp | EngineKind::OpenAi => FaultShape::Nested,
        };
        assert!((400..500).contains(&status), "{:?}: {said}", pair.kind);
        assert_eq!((fault.shape, fault.error.status), (shape, status), "{said}");
        assert!(fault.error.message.contains("messages"), "{said}");
    }
}

#[tokio::test]
async fn a_model_that_is_not_there_is_refused_by_those_who_look_at_names() {
    for pair in pairs().await {
        let unknown = CHAT.replace(r#""m""#, r#""nobody""#);
        let (status, said) = send(&pair, call(Api::ChatCompletions, &unknown)).await;
        let looks = !matches!(pair.kind, EngineKind::Tgi | EngineKind::LlamaCpp);
        let expected = if looks { 404 } else { 200 };
        assert_eq!(status, expected, "{:?}: {said}", pair.kind);
    }
}

/// A long stream under way; dropped, it is not wanted any more.
pub(super) async fn begin(pair: &Pair) -> BoxBody {
    let sent = pair.client.send(call(Api::ChatCompletions, LONG_STREAM));
    let mut body = within(sent).await.expect("begins").body;
    let first = within(body.frame()).await.expect("a chunk");
    first.expect("unbroken");
    body
}

#[tokio::test]
async fn a_dropped_body_frees_the_request() {
    for pair in slow_pairs().await {
        let body = begin(&pair).await;
        assert_eq!(pair.engine.stats().running, 1);
        drop(body);
        freed(&pair).await;
    }
}

#[tokio::test]
async fn a_dropped_send_frees_the_request() {
    for pair in slow_pairs().await {
        let whole = LONG_STREAM.replace(r#""stream":true,"#, "");
        let sending = pair.client.send(call(Api::ChatCompletions, &whole));
        within(async {
            tokio::select! {
                _ = sending => panic!("hundreds of tokens are not over yet"),
                () = polled_until(|| pair.engine.stats().running == 1) => {}
            }
        })
        .await;
        freed(&pair).await;
    }
}

/// llama.cpp's server closes a connection behind each stream, whatever it says; nobody notices but the count.
#[tokio::test]
async fn one_connection_serves_everything_in_turn() {
    for pair in pairs().await {
        for _ in 0..3 {
            within(pair.client.probe()).await.expect("well");
            within(pair.client.models()).await.expect("a list");
            let (status, _) = send(&pair, call(Api::ChatCompletions, CHAT)).await;
            assert_eq!(status, 200);
            let (status, _) = send(&pair, call(Api::ChatCompletions, CHAT_STREAM)).await;
            assert_eq!(status, 200);
            send(&pair, call(Api::ChatCompletions, "{}")).await;
        }
        let made = pair.engine.stats().connections;
        let closes = pair.kind == EngineKind::LlamaCpp;
        assert!(made == 1 || (closes && made > 1), "{:?}: {made}", pair.kind);
    }
}

#[tokio::test]
async fn headers_and_credential_reach_the_engine() {
    for pair in pairs().await {
        let mut call = call(Api::ChatCompletions, CHAT);
        call.headers
            .insert("x-request-id", HeaderValue::from_static("r-9"));
        let (status, _) = send(&pair, call).await;
        assert_eq!(status, 200);
        let heard = pair.engine.last_request().headers;
        assert_eq!(heard["x-request-id"], "r-9");
        assert_eq!(heard["authorization"], "Bearer s3cret");
    }
}
