//! What every engine client must do, run for each kind against a simulated engine.

use std::time::Duration;

use bytes::Bytes;
use gateway_router::{
    Deadlines, EngineKind,
    engine::{EngineCall, EngineClient, EngineReply, HttpEngine},
    proto::{error::EngineFault, openai::Api},
};
use gateway_sim::engine::{FaultKind, FaultSpec, RunningEngine};
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;

use crate::common::{rig::credential, sim, within};

/// A client with the engine it talks to.
struct Pair {
    engine: RunningEngine,
    client: HttpEngine,
    kind: EngineKind,
}

/// A pair of each kind. The simulated engine has vLLM's surface; with flat errors it passes for SGLang where only routes
/// and error bodies matter.
async fn pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for kind in [EngineKind::Vllm, EngineKind::Sglang, EngineKind::OpenAi] {
        let engine = sim::start_with(|config| config.api_key = Some("s3cret".into())).await;
        if kind == EngineKind::Sglang {
            engine.inject(FaultSpec::new(FaultKind::FlatErrors));
        }
        let patience = Duration::from_secs(30);
        let client = HttpEngine::new(
            sim::target(&engine),
            kind,
            credential("s3cret"),
            4,
            patience,
        );
        pairs.push(Pair {
            engine,
            client,
            kind,
        });
    }
    pairs
}

fn call(api: Api, body: &str) -> EngineCall {
    EngineCall {
        api,
        body: Bytes::from(body.to_owned()),
        headers: HeaderMap::new(),
        deadlines: Deadlines::default(),
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
        let reply: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(status, 200, "{:?}: {said}", pair.kind);
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
        let reply: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(
            (status, &reply["usage"]["completion_tokens"]),
            (200, &3.into()),
            "{said}"
        );
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

#[tokio::test]
async fn errors_come_with_status_and_body() {
    for pair in pairs().await {
        let unknown = CHAT.replace(r#""m""#, r#""nobody""#);
        let (status, said) = send(&pair, call(Api::ChatCompletions, &unknown)).await;
        let fault = EngineFault::parse(status, said.as_bytes());
        assert_eq!((status, fault.error.status), (404, 404), "{said}");
        assert!(
            fault.error.message.contains("nobody"),
            "{:?}: {said}",
            pair.kind
        );
        let flat = said.contains(r#""object":"error""#);
        assert_eq!(flat, pair.kind == EngineKind::Sglang, "{said}");
    }
}

#[tokio::test]
async fn a_dropped_body_frees_the_request() {
    for pair in pairs().await {
        let reply = pair
            .client
            .send(call(Api::ChatCompletions, LONG_STREAM))
            .await
            .expect("begins");
        let mut body = reply.body;
        within(body.frame())
            .await
            .expect("a chunk")
            .expect("unbroken");
        assert_eq!(pair.engine.stats().running, 1);
        drop(body);
        freed(&pair).await;
    }
}

#[tokio::test]
async fn a_dropped_send_frees_the_request() {
    for pair in pairs().await {
        let whole = LONG_STREAM.replace(r#""stream":true,"#, "");
        let sending = pair.client.send(call(Api::ChatCompletions, &whole));
        within(async {
            tokio::select! {
                _ = sending => panic!("4,000 tokens are not over yet"),
                () = polled_until(|| pair.engine.stats().running == 1) => {}
            }
        })
        .await;
        freed(&pair).await;
    }
}

async fn freed(pair: &Pair) {
    within(polled_until(|| pair.engine.stats().aborted == 1)).await;
    let stats = pair.engine.stats();
    assert_eq!(
        (stats.running, stats.waiting, stats.finished),
        (0, 0, 0),
        "{:?}",
        pair.kind
    );
}

async fn polled_until(reached: impl Fn() -> bool) {
    while !reached() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn probes() {
    for pair in pairs().await {
        within(pair.client.probe()).await.expect("it is well");
        if pair.kind != EngineKind::OpenAi {
            pair.engine
                .inject(FaultSpec::new(FaultKind::Health503).times(1));
            within(pair.client.probe())
                .await
                .expect_err("its health route says no");
            within(pair.client.probe()).await.expect("it is well again");
        }
        pair.engine.inject(FaultSpec::new(FaultKind::Die));
        within(pair.client.probe()).await.expect_err("it is dead");
    }
}

#[tokio::test]
async fn telemetry() {
    for pair in pairs().await {
        send(&pair, call(Api::ChatCompletions, CHAT)).await;
        let reading = within(pair.client.telemetry())
            .await
            .expect("a page, or none to read");
        // SGLang's names are not on a vLLM page, and an unknown engine has no page: unknown, never zero.
        let known = pair.kind == EngineKind::Vllm;
        assert_eq!(reading.running, known.then_some(0), "{:?}", pair.kind);
        assert_eq!(
            reading.generation_tokens,
            known.then_some(5),
            "{:?}",
            pair.kind
        );
        assert_eq!(reading.kv_capacity_tokens.is_some(), known);
        pair.engine
            .inject(FaultSpec::new(FaultKind::NanMetric).times(1));
        let odd = within(pair.client.telemetry())
            .await
            .expect("the rest of the page is good");
        assert_eq!(
            (odd.kv_used, odd.waiting),
            (None, known.then_some(0)),
            "NaN is unknown"
        );
    }
}

#[tokio::test]
async fn models() {
    for pair in pairs().await {
        let models = within(pair.client.models()).await.expect("a list");
        let names: Vec<_> = models.iter().map(|card| card.id.as_str()).collect();
        assert_eq!(names, ["m"]);
        assert!(models[0].max_model_len.is_some());
    }
}

#[tokio::test]
async fn one_connection_serves_everything_in_turn() {
    for pair in pairs().await {
        for _ in 0..3 {
            within(pair.client.probe()).await.expect("well");
            within(pair.client.models()).await.expect("a list");
            send(&pair, call(Api::ChatCompletions, CHAT)).await;
            send(&pair, call(Api::ChatCompletions, CHAT_STREAM)).await;
            send(&pair, call(Api::ChatCompletions, "{}")).await;
        }
        assert_eq!(pair.engine.stats().connections, 1, "{:?}", pair.kind);
    }
}

#[tokio::test]
async fn headers_and_credential_reach_the_engine() {
    for pair in pairs().await {
        let mut call = call(Api::ChatCompletions, CHAT);
        call.headers
            .insert("x-request-id", HeaderValue::from_static("r-9"));
        let (status, said) = send(&pair, call).await;
        assert_eq!(status, 200);
        let heard = pair.engine.last_request().headers;
        assert_eq!(heard["x-request-id"], "r-9");
        assert_eq!(heard["authorization"], "Bearer s3cret");
        assert!(said.contains("r-9"), "vLLM makes it the reply's id: {said}");
    }
}
