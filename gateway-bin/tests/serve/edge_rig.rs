//! A gateway that serves a small model by tokens, before an engine that speaks that model's words.

use std::{net::SocketAddr, path::PathBuf};

use gateway_bin::{Options, Running};
use gateway_sim::{
    engine::{RunningEngine, SimConfig, SimEngine},
    model::ChipProfile,
    text::{ModelVoice, Script, Voice},
};
use serde_json::{Value, json};

use crate::{
    rig::{self, KEY},
    wire::{self, Reply},
};

/// A conversation that the gateway takes.
pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const COMPLETIONS: &str = "/v1/completions";
pub(crate) const MESSAGES: &str = "/v1/messages";
pub(crate) const RESPONSES: &str = "/v1/responses";

/// The engine first: it is dropped after the gateway.
pub(crate) struct Edge {
    pub(crate) gateway: Running,
    pub(crate) engine: RunningEngine,
}

/// The folder of the small model.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../gateway-proto/testdata/models/small")
}

/// The YAML of the model `m`; `more` are further lines of its entry.
pub(crate) fn models(files: &std::path::Path, more: &str) -> String {
    let files = serde_json::to_string(files).expect("a name");
    format!("models:\n  - name: m\n    tokens: {{files: {files}}}\n{more}")
}

/// An engine that says `reply` to everything.
pub(crate) async fn engine(reply: &str) -> RunningEngine {
    let rules = json!([{"when": "", "reply": reply}]);
    let script = json!({"opening": "<|im_start|>assistant\n", "rules": rules}).to_string();
    let script = Script::parse(script.as_bytes()).expect("a script");
    let voice = ModelVoice::load(&folder(), script).expect("a good model");
    let chip = ChipProfile::named("8b-h100").expect("a known chip");
    let config = SimConfig {
        time_scale: 100.0,
        ..SimConfig::new("m", chip)
    };
    let voice = Voice::Model(Box::new(voice));
    SimEngine::start_with(config, voice)
        .await
        .expect("an engine")
}

impl Edge {
    /// `more` are further lines of the model's entry.
    pub(crate) async fn start(reply: &str, more: &str) -> Self {
        Self::with_models(reply, &models(&folder(), more)).await
    }

    pub(crate) async fn with_models(reply: &str, models: &str) -> Self {
        let engine = engine(reply).await;
        let text = rig::yaml(std::slice::from_ref(&engine), "", models);
        let gateway = rig::start(&text, Options::default()).await;
        Self { gateway, engine }
    }

    pub(crate) async fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        post(self.gateway.addr(), path, &[], body).await
    }

    pub(crate) async fn say(&self, path: &str, body: Value) -> Value {
        let reply = self.post(path, body.to_string()).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// Whether the metrics page has `line`.
    pub(crate) fn counts(&self, line: &str) -> bool {
        self.gateway.metrics().lines().any(|found| found == line)
    }
}

/// Posts with the good key.
pub(crate) async fn post(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: impl AsRef<[u8]>,
) -> Reply {
    let headers = [headers, &[("x-api-key", KEY)]].concat();
    let raw = wire::request("POST", path, &headers, body.as_ref());
    wire::exchange(address, &raw).await
}
