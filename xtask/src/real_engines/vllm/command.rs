//! What a server is started with.

use std::process::Command;

use serde_json::json;

use super::super::install::Installed;
use super::super::{BY_PREFIX, BY_TOKENS, MODEL};
use super::{BLOCK_TOKENS, CONTEXT_TOKENS};

/// In what servers differ.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Setup {
    /// Whether the route for tokens in, tokens out is switched on. Without it they are asked for as completions.
    pub(in super::super) scaled_out: bool,
    /// Whether it computes in full precision, so that other engines' answers differ by no rounding.
    pub(in super::super) is_precise: bool,
    /// Where KV events go, if anywhere.
    pub(in super::super) events: Option<Events>,
    /// How KV cache is handed over, if it is.
    pub(in super::super) transfer: Option<SideChannel>,
}

/// Where an engine sends its KV events.
///
/// vLLM would bind every interface or none; so it connects, and the gateway listens.
#[derive(Debug, Clone)]
pub(in super::super) struct Events {
    /// Where the gateway listens, for both engines.
    pub(in super::super) port: u16,
    /// Where the engine answers requests for missed batches.
    pub(in super::super) replay_port: u16,
    pub(in super::super) topic: String,
}

/// Where NIXL's side of an engine is asked for what a transfer needs.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct SideChannel {
    pub(in super::super) port: u16,
}

impl Events {
    fn flag(&self) -> String {
        json!({
            "enable_kv_cache_events": true,
            "publisher": "zmq",
            "endpoint": format!("tcp://127.0.0.1:{}", self.port),
            "replay_endpoint": format!("tcp://127.0.0.1:{}", self.replay_port),
            "topic": self.topic,
        })
        .to_string()
    }
}

pub(super) fn serve(installed: &Installed, port: u16, setup: &Setup) -> Command {
    let mut command = Command::new("nice");
    command
        .args(["-n", "10"])
        .arg(installed.venv.program("vllm"))
        .arg("serve")
        .arg(&installed.model)
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--served-model-name", MODEL, BY_PREFIX, BY_TOKENS]);
    let precision = if setup.is_precise {
        "float32"
    } else {
        "bfloat16"
    };
    command.args(["--dtype", precision, "--enforce-eager"]);
    model_flags(&mut command);
    environment(&mut command);
    if setup.scaled_out {
        command.arg("--enable-scale-out");
    }
    if let Some(events) = &setup.events {
        command.args(["--kv-events-config", &events.flag()]);
    }
    if let Some(channel) = setup.transfer {
        hand_over(&mut command, channel);
    }
    command
}

fn model_flags(command: &mut Command) {
    command
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
        .args(["--generation-config", "vllm"]);
}

fn environment(command: &mut Command) {
    command
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
}

/// NIXL over the memory that both processes see, its side channel on loopback.
fn hand_over(command: &mut Command, channel: SideChannel) {
    let config = json!({
        "kv_connector": "NixlConnector",
        "kv_role": "kv_both",
        "kv_buffer_device": "cpu",
    });
    command
        .args(["--kv-transfer-config", &config.to_string()])
        .env("VLLM_NIXL_SIDE_CHANNEL_HOST", "127.0.0.1")
        .env("VLLM_NIXL_SIDE_CHANNEL_PORT", channel.port.to_string())
        .env("UCX_TLS", "tcp,shm,self,sysv,posix")
        .env("UCX_NET_DEVICES", "lo");
}
