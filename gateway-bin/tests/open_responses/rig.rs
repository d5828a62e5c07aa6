//! A gateway in front of an engine that obeys a script.

use std::{net::SocketAddr, path::Path, time::Duration};

use gateway_bin::{
    Gateway, Options, Running,
    config::{self, Environment},
};
use gateway_govern::keys::KeyHash;
use gateway_sim::{
    engine::{RunningEngine, SimConfig, SimEngine},
    model::ChipProfile,
    text::{ModelVoice, Script, Voice},
};
use serde_json::{Value, json};

use crate::wire::{self, Reply};

/// The key that the tests ask with.
pub(crate) const KEY: &str = "gw-one";
/// Somebody else's.
pub(crate) const OTHER: &str = "gw-two";
/// What the long answer begins with.
pub(crate) const LONG: &str = "Once upon a time";

/// Fields are dropped in order: the gateway before its engine.
pub(crate) struct Rig {
    pub(crate) gateway: Running,
    pub(crate) engine: RunningEngine,
}

impl Rig {
    /// Served by tokens, in no time.
    pub(crate) async fn start() -> Self {
        Self::with("", 100.0).await
    }

    /// `more` are further lines of YAML; `speed` is how much faster than a real engine this one is.
    pub(crate) async fn with(more: &str, speed: f64) -> Self {
        let engine = engine(speed).await;
        let gateway = start(&yaml(&engine, "", more)).await;
        Self { gateway, engine }
    }

    /// With these lines in the model's entry.
    pub(crate) async fn with_model(model: &str) -> Self {
        let engine = engine(100.0).await;
        let gateway = start(&yaml(&engine, model, "")).await;
        Self { gateway, engine }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.gateway.addr()
    }

    /// Asks with a key.
    pub(crate) async fn ask(&self, key: &str, method: &str, path: &str, body: &Value) -> Reply {
        let bearer = format!("Bearer {key}");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let headers = [("authorization", &*bearer)];
        let raw = wire::request(method, path, &headers, body.as_bytes());
        let reply = wire::exchange(self.addr(), &raw);
        tokio::time::timeout(Duration::from_secs(60), reply)
            .await
            .expect("a reply")
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask(KEY, "POST", path, &body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        let bearer = format!("Bearer {KEY}");
        wire::get(self.addr(), path, &[("authorization", &bearer)]).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.ask(KEY, "DELETE", path, &Value::Null).await
    }

    /// A response object, made without a stream.
    pub(crate) async fn respond(&self, body: Value) -> Value {
        let reply = self.post("/v1/responses", with_model(body)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// The events of a streamed response.
    pub(crate) async fn stream(&self, body: Value) -> Vec<Value> {
        let mut body = with_model(body);
        body["stream"] = true.into();
        let reply = self.post("/v1/responses", body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.headers["content-type"], "text/event-stream");
        let (events, done) = events(&reply.body);
        assert!(done, "a good stream says so: {}", reply.body);
        events
    }

    /// A refused request's status, code and parameter.
    pub(crate) async fn refused(&self, body: Value) -> (u16, String, Option<String>) {
        let reply = self.post("/v1/responses", with_model(body)).await;
        let (code, param) = reply.error();
        (reply.status, code, param)
    }
}

fn with_model(mut body: Value) -> Value {
    if body.get("model").is_none() {
        body["model"] = "m".into();
    }
    body
}

/// The text of a response object.
pub(crate) fn text(response: &Value) -> String {
    let items = response["output"].as_array().expect("a list");
    let parts = items
        .iter()
        .filter_map(|item| item["content"].as_array())
        .flatten();
    let texts = parts.filter(|part| part["type"] == "output_text");
    texts.filter_map(|part| part["text"].as_str()).collect()
}

/// The events of a stream of server-sent events, and whether it ended well.
pub(crate) fn events(body: &str) -> (Vec<Value>, bool) {
    let body = unchunked(body);
    let mut events = Vec::new();
    for block in body.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let mut lines = block.lines();
        let first = lines.next().expect("a line");
        if first == "data: [DONE]" {
            return (events, true);
        }
        let kind = first.strip_prefix("event: ").expect("a name");
        let data = lines
            .next()
            .and_then(|line| line.strip_prefix("data: "))
            .expect("data");
        let event: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(event["type"], kind, "the name is the type");
        events.push(event);
    }
    (events, false)
}

/// A body without its chunks' sizes.
pub(crate) fn unchunked(body: &str) -> String {
    let mut out = Vec::new();
    let mut rest = body.as_bytes();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size");
        let data = end + 2;
        out.extend_from_slice(&rest[data..data + size]);
        rest = &rest[data + size + 2..];
        if size == 0 {
            break;
        }
    }
    String::from_utf8(out).expect("text")
}

/// A tool as clients bring it.
pub(crate) fn weather_tool() -> Value {
    json!({
        "type": "function", "name": "get_weather", "description": "The weather at a place", "strict": true,
        "parameters": {"type": "object", "properties": {"location": {"type": "string"}},
            "required": ["location"], "additionalProperties": false},
    })
}

pub(crate) fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway-proto/testdata/models/small")
}

/// What the engine says to what.
fn script() -> Script {
    let call = "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"location\": \"Oslo\"}}\n</tool_call>";
    let long = format!("{LONG}, {}", "and then ".repeat(2_000));
    let rules = json!([
        {"when": "(?s)like tea.*What do I like", "reply": "You like tea, Ada."},
        {"when": "Sum up our conversation", "reply": "They are called Ada and like tea."},
        {"when": "<tool_response>\\n(.*)\\n</tool_response>", "reply": "The tool says: $1."},
        {"when": "weather", "reply": call},
        {"when": "Think", "reply": "<think>\nHm, hm.\n</think>\n\nDone."},
        {"when": "Tell a long story", "reply": long},
        {"when": "(?s)My name is (\\w+).*What is my name", "reply": "You are $1."},
        {"when": "What is my name", "reply": "I do not know."},
        {"when": "Give JSON", "reply": "{\"city\": \"Oslo\"}"},
        {"when": ".", "reply": "Hello there, friend."},
    ]);
    let script = json!({"rules": rules}).to_string();
    Script::parse(script.as_bytes()).expect("a script")
}

async fn engine(speed: f64) -> RunningEngine {
    let voice = ModelVoice::load(&folder(), script()).expect("a good model");
    let config = SimConfig {
        time_scale: speed,
        ..SimConfig::new("m", ChipProfile::named("8b-h100").expect("a known chip"))
    };
    let engine = SimEngine::start_with(config, Voice::Model(Box::new(voice))).await;
    engine.expect("an engine")
}

fn yaml(engine: &RunningEngine, model: &str, more: &str) -> String {
    let (one, two) = (KeyHash::of(KEY), KeyHash::of(OTHER));
    let model = if model.is_empty() {
        format!("tokens: {{files: \"{}\"}}", folder().display())
    } else {
        model.to_owned()
    };
    format!(
        "listen: 127.0.0.1:0\nthreads: 2\n\
         keys:\n  - {{name: one, hash: \"{one}\"}}\n  - {{name: two, hash: \"{two}\"}}\n\
         models:\n  - {{name: m, {model}}}\n\
         endpoints:\n  - {{name: e, url: \"{}\", kind: vllm, models: [m]}}\n{more}",
        engine.url()
    )
}

/// Starts a gateway off the runtime that the engine answers on.
async fn start(text: &str) -> Running {
    let config = config::read(text, Path::new("test.yaml"), &Environment::empty());
    let config = config.expect("a valid configuration");
    let started = tokio::task::spawn_blocking(move || Gateway::start(config, Options::default()));
    started.await.expect("no panic").expect("a gateway")
}
