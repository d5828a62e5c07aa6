//! A gateway in front of simulated engines.

use std::{net::SocketAddr, path::Path};

use gateway_bin::{
    Gateway, Options, ReloadFrom, Running,
    config::{self, Environment},
};
use gateway_govern::keys::KeyHash;
use gateway_sim::{
    engine::{RunningEngine, SimConfig, SimEngine},
    model::ChipProfile,
};

use crate::wire::{self, Reply};

/// The key that may do everything.
pub(crate) const KEY: &str = "gw-test";
/// A request that succeeds.
pub(crate) const CHAT: &str =
    r#"{"model":"m","max_tokens":4,"messages":[{"role":"user","content":"hello"}]}"#;

/// Engines first: they are dropped after the gateway.
pub(crate) struct Rig {
    pub(crate) gateway: Running,
    pub(crate) engines: Vec<RunningEngine>,
}

/// What a rig is made of.
pub(crate) struct Plan<'a> {
    pub(crate) engines: usize,
    /// Model seconds in a second.
    pub(crate) speed: f64,
    /// Further lines of YAML.
    pub(crate) more: &'a str,
    /// Further keys, as YAML list items.
    pub(crate) keys: &'a str,
}

impl Default for Plan<'_> {
    fn default() -> Self {
        Self {
            engines: 1,
            speed: 100.0,
            more: "",
            keys: "",
        }
    }
}

impl Rig {
    pub(crate) async fn start(plan: Plan<'_>) -> Self {
        let engines = engines(plan.engines, plan.speed).await;
        let text = yaml(&engines, plan.keys, plan.more);
        let gateway = start(&text, Options::default()).await;
        Self { gateway, engines }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.gateway.addr()
    }

    /// A chat with the good key.
    pub(crate) async fn chat(&self, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
        let bearer = format!("Bearer {KEY}");
        let headers = [headers, &[("authorization", &*bearer)]].concat();
        wire::exchange(
            self.addr(),
            &wire::request("POST", "/v1/chat/completions", &headers, body.as_ref()),
        )
        .await
    }
}

pub(crate) async fn engines(count: usize, speed: f64) -> Vec<RunningEngine> {
    let chip = ChipProfile::named("8b-h100").expect("a known chip");
    let mut engines = Vec::new();
    for _ in 0..count {
        let config = SimConfig {
            time_scale: speed,
            ..SimConfig::new("m", chip)
        };
        engines.push(SimEngine::start(config).await.expect("an engine"));
    }
    engines
}

pub(crate) fn yaml(engines: &[RunningEngine], keys: &str, more: &str) -> String {
    let urls = engines.iter().enumerate();
    let endpoints: String = urls
        .map(|(at, engine)| format!("  - {{name: e{at}, url: \"{}\"}}\n", engine.url()))
        .collect();
    let has_endpoints = !endpoints.is_empty() || more.starts_with("  -");
    let open = if has_endpoints { "" } else { " []" };
    let hash = KeyHash::of(KEY);
    format!(
        "listen: 127.0.0.1:0\nthreads: 2\nkeys:\n  - {{name: all, hash: \"{hash}\", explain: true}}\n{keys}endpoints:{open}\n{endpoints}{more}"
    )
}

/// Starts a gateway, which waits for engines' answers, off the runtime that the engines answer on.
/// Starts from `text`, which stands in `file`, and reads that again when it changes.
pub(crate) async fn start_reloading(text: &str, file: &Path) -> Running {
    let reload = ReloadFrom {
        path: file.to_owned(),
        text: text.to_owned(),
        listen: None,
    };
    let options = Options {
        reload: Some(reload),
        ..Options::default()
    };
    start(text, options).await
}

pub(crate) async fn start(text: &str, options: Options) -> Running {
    let config = config::read(text, Path::new("test.yaml"), &Environment::empty())
        .expect("a valid configuration");
    let started = tokio::task::spawn_blocking(move || Gateway::start(config, options));
    started.await.expect("no panic").expect("a gateway")
}
