//! One real vLLM server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::install::Installed;
use super::metrics::Metrics;
use super::process::{Server, free_port};
use super::{BY_PREFIX, BY_TOKENS, MODEL, http};

/// Tokens per KV block. The CPU backend takes multiples of 32 alone.
pub(super) const BLOCK_TOKENS: u64 = 32;

/// Whose route for tokens in, tokens out is switched on. The other one is asked for them as completions.
pub(super) const SCALED_OUT: &str = "a";

/// Prompt and answer together.
pub(super) const CONTEXT_TOKENS: u64 = 4096;

/// A start takes about a minute alone and many on a loaded machine.
const START_LIMIT: Duration = Duration::from_secs(900);

/// A running engine.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) name: &'static str,
    pub(super) url: String,
    pub(super) events: Events,
    port: u16,
    installed: Installed,
    logs: PathBuf,
    server: Server,
}

/// Where an engine sends its KV events.
///
/// vLLM would bind every interface or none; so it connects, and the gateway listens.
#[derive(Debug, Clone)]
pub(super) struct Events {
    /// Where the gateway listens, for both engines.
    pub(super) port: u16,
    /// Where the engine answers requests for missed batches.
    pub(super) replay_port: u16,
    pub(super) topic: String,
}

/// Starts two engines side by side and waits for both.
pub(super) fn start_pair(installed: &Installed, logs: &Path) -> Result<[Engine; 2]> {
    let events_port = free_port()?;
    let mut engines = [
        Engine::launch("a", events_port, installed, logs)?,
        Engine::launch("b", events_port, installed, logs)?,
    ];
    for engine in &mut engines {
        engine.wait_until_up()?;
    }
    Ok(engines)
}

impl Engine {
    fn launch(
        name: &'static str,
        events_port: u16,
        installed: &Installed,
        logs: &Path,
    ) -> Result<Self> {
        let port = free_port()?;
        let events = Events {
            port: events_port,
            replay_port: free_port()?,
            topic: format!("kv@{name}"),
        };
        Ok(Self {
            name,
            url: format!("http://127.0.0.1:{port}"),
            server: serve(name, name, installed, port, &events, logs)?,
            events,
            port,
            installed: installed.clone(),
            logs: logs.to_owned(),
        })
    }

    /// Starts it again where it was, after [`kill`](Self::kill), and waits until it answers.
    pub(super) fn start_again(&mut self) -> Result<()> {
        self.server = serve(
            self.name,
            &format!("{}-again", self.name),
            &self.installed,
            self.port,
            &self.events,
            &self.logs,
        )?;
        self.wait_until_up()
    }

    fn wait_until_up(&mut self) -> Result<()> {
        let health = format!("{}/health", self.url);
        self.server.wait_until_up(&health, START_LIMIT).map(drop)
    }

    /// The engine's own metrics, read now.
    pub(super) fn metrics(&self) -> Result<Metrics> {
        Ok(Metrics::parse(&http::get(&format!(
            "{}/metrics",
            self.url
        ))?))
    }

    /// Requests that the engine works on or has queued.
    pub(super) fn in_hand(&self) -> Result<f64> {
        let metrics = self.metrics()?;
        Ok(metrics.sum("vllm:num_requests_running") + metrics.sum("vllm:num_requests_waiting"))
    }

    /// SIGKILL to every process of this engine.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.server.kill().map(drop)
    }
}

/// `life` is the name of its log.
fn serve(
    name: &str,
    life: &str,
    installed: &Installed,
    port: u16,
    events: &Events,
    logs: &Path,
) -> Result<Server> {
    let flags = (name == SCALED_OUT).then_some("--enable-scale-out");
    Server::start(
        &format!("engine-{life}"),
        command(installed, port, events).args(flags),
        logs,
    )
}

fn command(installed: &Installed, port: u16, events: &Events) -> Command {
    let events = json!({
        "enable_kv_cache_events": true,
        "publisher": "zmq",
        "endpoint": format!("tcp://127.0.0.1:{}", events.port),
        "replay_endpoint": format!("tcp://127.0.0.1:{}", events.replay_port),
        "topic": events.topic,
    });
    let mut command = Command::new("nice");
    command
        .args(["-n", "10"])
        .arg(installed.venv.join("bin/vllm"))
        .arg("serve")
        .arg(&installed.model)
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .args([
            "--served-model-name",
            MODEL,
            BY_PREFIX,
            BY_TOKENS,
            "--dtype",
            "bfloat16",
            "--enforce-eager",
        ])
        .args(["--max-model-len", &CONTEXT_TOKENS.to_string()])
        .args(["--max-num-seqs", "32"])
        .args(["--block-size", &BLOCK_TOKENS.to_string()])
        .arg("--enable-prompt-tokens-details")
        .args(["--enable-auto-tool-choice", "--tool-call-parser", "hermes"])
        // A random model held to JSON would write white space for ever.
        .args([
            "--structured-outputs-config",
            r#"{"backend":"xgrammar","disable_any_whitespace":true}"#,
        ])
        // Sampling as the API's defaults say, not as the model's folder does.
        .args(["--generation-config", "vllm"])
        .args(["--kv-events-config", &events.to_string()])
        .env("HF_HUB_OFFLINE", "1")
        .env("TRANSFORMERS_OFFLINE", "1")
        .env("VLLM_NO_USAGE_STATS", "1")
        .env("DO_NOT_TRACK", "1")
        .env("OMP_NUM_THREADS", "1")
        .env("VLLM_CPU_OMP_THREADS_BIND", "nobind")
        // The same block hashes in every instance.
        .env("PYTHONHASHSEED", "0")
        // Gibibytes of KV cache.
        .env("VLLM_CPU_KVCACHE_SPACE", "1")
        // Keeps the worker inside the engine core, which saves half a minute of start.
        .env("VLLM_ENABLE_V1_MULTIPROCESSING", "0");
    command
}
