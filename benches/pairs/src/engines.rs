//! Simulated engines that compute at once: one for prompts, one for answers, one for everything.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use gateway_benches::Model;
use gateway_proto::engines::transfer::Connector;
use gateway_sim::engine::{
    Connector as Vllms, Flavour, RunningEngine, SimConfig, SimEngine, TransferConfig, TransferRole,
};
use gateway_sim::model::ChipProfile;
use gateway_sim::text::{ModelVoice, Script, Voice};
use tokio::runtime::{Builder, Runtime};

use crate::question::Way;

/// Seconds of the engines in one of ours: a step of theirs takes a nanosecond.
const HASTE: u32 = 1_000;
/// A step of the simulator takes some time; this is the least.
const STEP_MS: f64 = 0.001;
/// Tokens of the cache, so that no request ever waits for room.
const CACHE_TOKENS: u32 = 4 << 20;

/// What they say to everything, longer than anybody wants it.
const SCRIPT: &str = r#"{"opening": "<|im_start|>assistant\n", "rules": [
    {"when": "^", "reply": "One engine reads what was asked, and another one writes down what it has to say to that."}
]}"#;

/// Three engines on a thread of their own. They end with this.
pub(crate) struct Engines {
    prefill: RunningEngine,
    decode: RunningEngine,
    alone: RunningEngine,
    connector: Connector,
    _runtime: Runtime,
}

impl Engines {
    /// Starts them.
    ///
    /// # Errors
    /// No port is to be had.
    pub(crate) fn start(connector: Connector) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let start = |role| start(connector, role);
        let (prefill, decode, alone) = runtime.block_on(async {
            let prefill = start(Some(TransferRole::Prefill)).await?;
            let decode = start(Some(TransferRole::Decode)).await?;
            anyhow::Ok((prefill, decode, start(None).await?))
        })?;
        Ok(Self {
            prefill,
            decode,
            alone,
            connector,
            _runtime: runtime,
        })
    }

    /// Where prompts are computed.
    pub(crate) fn prefill(&self) -> SocketAddr {
        self.prefill.addr()
    }

    /// Where answers are written.
    pub(crate) fn decode(&self) -> SocketAddr {
        self.decode.addr()
    }

    /// The engine that does everything.
    pub(crate) fn alone(&self) -> SocketAddr {
        self.alone.addr()
    }

    /// Where decode engines find the one that computes prompts.
    pub(crate) fn bootstrap(&self) -> SocketAddr {
        self.prefill
            .transfer_addr()
            .expect("it was started as half a pair")
    }

    /// What the gateway is told of them.
    pub(crate) fn configuration(&self, model: &Path) -> String {
        let mut out = "pipeline: { split: always }\nmodels:\n".to_owned();
        for name in Way::ALL.into_iter().flat_map(Way::models) {
            out += &format!("  - name: {name}\n");
            if name.ends_with("tokens") {
                let files = model.display();
                out += &format!("    tokens: {{ files: {files}, context_tokens: 32768 }}\n");
            }
        }
        out += "endpoints:\n";
        out += &self.endpoint("p", self.prefill(), "prefill");
        out += &self.endpoint("d", self.decode(), "decode");
        out += &self.endpoint("u", self.alone(), "unified");
        out
    }

    fn endpoint(&self, name: &str, address: SocketAddr, role: &str) -> String {
        let is_half = role != "unified";
        let [text, tokens] = Way::ALL.map(|way| way.models()[usize::from(is_half)]);
        let kind = match self.connector {
            Connector::TrtLlm => "tensorrt_llm",
            Connector::Sglang => "sglang",
            _ => "vllm",
        };
        let mut out = format!(
            "  - name: {name}\n    url: \"http://{address}\"\n    kind: {kind}\n    role: {role}\n    models: [{text}, {tokens}]\n"
        );
        if is_half {
            let connector = self.connector.name();
            let port = match self.connector.needs_bootstrap() {
                true => format!(", bootstrap_port: {}", self.bootstrap().port()),
                false => String::new(),
            };
            out += &format!("    transfer: {{ connector: {connector}{port} }}\n");
        }
        out
    }

    /// Checks that so many prompts were handed over in all, and none wrongly.
    ///
    /// # Errors
    /// They were not: what was measured is something else.
    pub(crate) fn check(&self, handed_over: u64) -> Result<()> {
        let stats = self.decode.stats();
        ensure!(
            (stats.pulls, stats.pulls_spoilt, stats.pulls_failed) == (handed_over, 0, 0),
            "{handed_over} prompts should have been handed over: {stats:?}"
        );
        Ok(())
    }
}

async fn start(connector: Connector, role: Option<TransferRole>) -> Result<RunningEngine> {
    let script = Script::parse(SCRIPT.as_bytes()).context("our own script")?;
    let voice =
        ModelVoice::load(&Model::Small.folder(), script).context("the small model's files")?;
    let config = config(connector, role);
    Ok(SimEngine::start_with(config, Voice::Model(Box::new(voice))).await?)
}

fn config(connector: Connector, role: Option<TransferRole>) -> SimConfig {
    let names = Way::ALL.into_iter().flat_map(Way::models);
    let mut config = SimConfig::new("m", INSTANT);
    config.models = names.map(str::to_owned).collect();
    config.time_scale = f64::from(HASTE);
    config.flavour = match connector {
        Connector::TrtLlm => Flavour::Trtllm,
        Connector::Sglang => Flavour::Sglang,
        _ => Flavour::Vllm,
    };
    let usual = TransferConfig::default();
    config.transfer = role.map(|role| TransferConfig {
        role,
        connector: match connector {
            Connector::Mooncake => Vllms::Mooncake,
            _ => Vllms::Nixl,
        },
        // As long as ever on our clock.
        lease_ms: usual.lease_ms * u64::from(HASTE),
        wait_ms: usual.wait_ms * u64::from(HASTE),
        heartbeat_ms: usual.heartbeat_ms * u64::from(HASTE),
        handshake_ms: 0,
        tokens_per_second: u32::MAX,
        ..usual
    });
    config
}

/// Steps that take no time.
const INSTANT: ChipProfile = ChipProfile {
    prefill_base_ms: 0.0,
    prefill_ms_per_token: 0.0,
    attention_ms_per_pair: 0.0,
    decode_base_ms: 0.0,
    decode_ms_per_sequence: 0.0,
    decode_ms_per_context_token: 0.0,
    host_ms: STEP_MS,
    kv_tokens: CACHE_TOKENS,
    batch_tokens: CACHE_TOKENS,
};
