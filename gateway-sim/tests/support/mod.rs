//! A small HTTP client, and engines fast enough for tests.
#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use gateway_sim::engine::{RunningEngine, SimConfig, SimEngine};
use gateway_sim::model::{ChipProfile, EngineConfig};
use gateway_sim::text::{ModelVoice, Script, Voice};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An H100 a thousand times as fast as real, with blocks of 16 tokens and a context of 4,096.
pub(crate) fn config() -> SimConfig {
    let chip = ChipProfile::named("8b-h100").expect("a known profile");
    let engine = EngineConfig {
        max_model_tokens: 4_096,
        ..EngineConfig::for_chip(chip)
    };
    SimConfig {
        time_scale: 1_000.0,
        engine,
        ..SimConfig::new("demo", chip)
    }
}

pub(crate) async fn start(config: SimConfig) -> RunningEngine {
    SimEngine::start(config)
        .await
        .expect("a free loopback port")
}

/// The files of a small model.
pub(crate) fn small_model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway-proto/testdata/models/small")
}

/// An engine that speaks the small model's tokens by a script.
pub(crate) async fn speaking(config: SimConfig, script: &str) -> RunningEngine {
    let script = Script::parse(script.as_bytes()).expect("a script");
    let model = ModelVoice::load(&small_model(), script).expect("a model's files");
    SimEngine::start_with(config, Voice::Model(Box::new(model)))
        .await
        .expect("a free loopback port")
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).expect("UTF-8")
    }

    /// The data of each event.
    pub(crate) fn events(&self) -> Vec<String> {
        let text = self.text();
        let events = text.split_terminator("\n\n");
        events
            .map(|event| {
                event
                    .strip_prefix("data: ")
                    .expect("one data line")
                    .to_owned()
            })
            .collect()
    }

    /// The events as JSON, after a check that `[DONE]` is the last.
    pub(crate) fn chunks(&self) -> Vec<Value> {
        let mut events = self.events();
        assert_eq!(events.pop().as_deref(), Some("[DONE]"));
        events
            .iter()
            .map(|event| serde_json::from_str(event).expect("JSON"))
            .collect()
    }
}

/// One connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub(crate) async fn open(addr: SocketAddr) -> Result<Self, BoxError> {
        let socket = TcpStream::connect(addr).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, BoxError> {
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }

    pub(crate) async fn fetch(&mut self, request: Request<Full<Bytes>>) -> Result<Reply, BoxError> {
        let (parts, body) = self.send(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }
}

pub(crate) fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path)
        .header("host", "engine")
        .body(Full::default())
        .expect("a valid request")
}

pub(crate) fn post(path: &str, body: &Value) -> Request<Full<Bytes>> {
    raw_post(path, body.to_string())
}

pub(crate) fn raw_post(path: &str, body: String) -> Request<Full<Bytes>> {
    let request = Request::post(path)
        .header("host", "engine")
        .header("content-type", "application/json");
    request
        .body(Full::new(Bytes::from(body)))
        .expect("a valid request")
}

pub(crate) async fn try_fetch(
    engine: &RunningEngine,
    request: Request<Full<Bytes>>,
) -> Result<Reply, BoxError> {
    Connection::open(engine.addr()).await?.fetch(request).await
}

pub(crate) async fn fetch(engine: &RunningEngine, request: Request<Full<Bytes>>) -> Reply {
    try_fetch(engine, request).await.expect("a reply")
}

/// A chat of one user turn, with further fields.
pub(crate) fn chat(text: &str, more: &Value) -> Value {
    let mut body = json!({"model": "demo", "messages": [{"role": "user", "content": text}]});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

pub(crate) async fn post_chat(engine: &RunningEngine, text: &str, more: Value) -> Reply {
    fetch(engine, post("/v1/chat/completions", &chat(text, &more))).await
}

/// Waits until the engine's state is as told; a test that waits in vain hangs, and says so by its name.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}
