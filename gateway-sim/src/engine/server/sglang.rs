//! What an engine says of itself in `SGLang`'s words.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::engine::clock::Clock;
use crate::engine::config::SimConfig;
use crate::engine::faults::FaultKind;
use crate::engine::shell::Shell;

/// The release whose words these are.
const VERSION: &str = "0.5.23";

/// The part of what `SGLang` 0.5.23 says of itself that tells where its KV events come out.
pub(super) fn server_info(shell: &Shell) -> Value {
    let config = &shell.config;
    let kv_events = shell.kv.as_ref().map(|feed| {
        let bound = &feed.bound;
        json!({
            "publisher": "zmq",
            "endpoint_host": bound.publish.ip().to_string(),
            "endpoint_port_base": bound.publish.port(),
            "topic": bound.topic,
            "block_size": config.engine.block_tokens,
            "dp_size": 1,
            "replay_endpoint_port_base": bound.replay.map(|addr| addr.port()),
        })
    });
    json!({
        "model_path": config.models[0],
        "served_model_name": config.models[0],
        "page_size": config.engine.block_tokens,
        "dp_size": 1,
        "kv_events": kv_events,
        "version": VERSION,
        "incremental_streaming_output": false,
    })
}

pub(super) fn model_info(config: &SimConfig) -> Value {
    json!({
        "model_path": config.models[0],
        "served_model_name": config.models[0],
        "tokenizer_path": config.models[0],
        "is_generation": true,
        "weight_version": "default",
        "disaggregation_mode": "null",
    })
}

/// `/v1/loads` of one rank.
pub(super) fn loads(shell: &Shell) -> Value {
    let (model, _) = shell.measure();
    let tokens = |blocks: u32| u64::from(blocks) * u64::from(model.block_tokens);
    json!({
        "timestamp": Clock::unix_seconds(),
        "version": VERSION,
        "accelerator": null,
        "num_accelerators": 1,
        "loads": [{
            "timestamp": Clock::unix_seconds(),
            "dp_rank": 0,
            "num_running_reqs": model.running,
            "num_waiting_reqs": model.waiting,
            "num_used_tokens": tokens(model.blocks_in_use),
            "num_total_tokens": tokens(model.blocks_in_use),
            "max_total_num_tokens": tokens(model.blocks_total),
            "max_running_requests": shell.config.engine.max_sequences,
            "token_usage": model.kv_used(),
        }],
    })
}

/// The metrics page.
pub(super) fn metrics(shell: &Shell) -> String {
    let (model, _) = shell.measure();
    let name = &shell.config.models[0];
    let tokens = |blocks: u32| u64::from(blocks) * u64::from(model.block_tokens);
    let used = tokens(model.blocks_in_use);
    let kv_used = match shell.faults.strike(FaultKind::NanMetric) {
        Some(_) => f64::NAN,
        None => model.kv_used(),
    };
    let lines = [
        ("gauge", "num_running_reqs", model.running.to_string()),
        ("gauge", "num_queue_reqs", model.waiting.to_string()),
        ("gauge", "token_usage", kv_used.to_string()),
        ("gauge", "num_used_tokens", used.to_string()),
        (
            "gauge",
            "max_total_num_tokens",
            tokens(model.blocks_total).to_string(),
        ),
        ("gauge", "page_size", model.block_tokens.to_string()),
        ("gauge", "num_pages", model.blocks_total.to_string()),
        (
            "counter",
            "prompt_tokens_total",
            model.prompt_tokens.to_string(),
        ),
        (
            "counter",
            "generation_tokens_total",
            model.generation_tokens.to_string(),
        ),
        (
            "counter",
            "cached_tokens_total",
            model.prefix_hits_tokens.to_string(),
        ),
    ];
    let mut page = String::new();
    for (kind, metric, value) in lines {
        let _ = writeln!(
            page,
            "# TYPE sglang:{metric} {kind}\nsglang:{metric}{{engine_type=\"unified\",model_name=\"{name}\"}} {value}"
        );
    }
    page
}
