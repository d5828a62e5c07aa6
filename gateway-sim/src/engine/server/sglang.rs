//! What an engine says of itself in `SGLang`'s words.

use std::fmt::Write;

use serde_json::{Value, json};

use super::page::{self, Row, float, tokens};
use crate::engine::clock::Clock;
use crate::engine::config::SimConfig;
use crate::engine::faults::FaultKind;
use crate::engine::kv::Outlet;
use crate::engine::rank::Rank;
use crate::engine::shell::Shell;
use crate::engine::transfer::{Transfer, TransferRole};
use crate::model::ModelMetrics;

/// The release whose words these are.
const VERSION: &str = "0.5.23";

/// The part of what `SGLang` 0.5.23 says of itself that tells where its KV events come out.
pub(super) fn server_info(shell: &Shell) -> Value {
    let config = &shell.config;
    let kv_events = shell.ranks[0]
        .kv
        .as_ref()
        .and_then(Outlet::published)
        .map(|feed| {
            let bound = &feed.bound;
            json!({
                "publisher": "zmq",
                "endpoint_host": bound.publish.ip().to_string(),
                "endpoint_port_base": bound.publish.port(),
                "topic": bound.topic,
                "block_size": config.engine.block_tokens,
                "dp_size": shell.ranks.len(),
                "replay_endpoint_port_base": bound.replay.map(|addr| addr.port()),
            })
        });
    json!({
        "model_path": config.models[0],
        "served_model_name": config.models[0],
        "page_size": config.engine.block_tokens,
        "dp_size": shell.ranks.len(),
        "disaggregation_mode": mode(config),
        "kv_events": kv_events,
        "version": VERSION,
        "incremental_streaming_output": config.incremental_streams,
    })
}

pub(super) fn model_info(config: &SimConfig) -> Value {
    json!({
        "model_path": config.models[0],
        "served_model_name": config.models[0],
        "tokenizer_path": config.models[0],
        "is_generation": true,
        "weight_version": "default",
        "disaggregation_mode": mode(config),
    })
}

/// The part it plays in pairs.
fn mode(config: &SimConfig) -> &'static str {
    match config.transfer.as_ref().map(|own| own.role) {
        Some(TransferRole::Prefill) => "prefill",
        Some(TransferRole::Decode) => "decode",
        Some(TransferRole::Any) | None => "null",
    }
}

/// `/v1/loads` of all ranks.
pub(super) fn loads(shell: &Shell) -> Value {
    let load = |rank: &Rank| {
        let (model, _) = Shell::measure(rank);
        let tokens = |blocks: u32| u64::from(blocks) * u64::from(model.block_tokens);
        json!({
            "timestamp": Clock::unix_seconds(),
            "dp_rank": rank.number,
            "num_running_reqs": model.running,
            "num_waiting_reqs": model.waiting,
            "num_used_tokens": tokens(model.blocks_in_use),
            "num_total_tokens": tokens(model.blocks_in_use),
            "max_total_num_tokens": tokens(model.blocks_total),
            "max_running_requests": shell.config.engine.max_sequences,
            "token_usage": model.kv_used(),
            "disaggregation": {"mode": mode(&shell.config)},
        })
    };
    json!({
        "timestamp": Clock::unix_seconds(),
        "version": VERSION,
        "accelerator": null,
        "num_accelerators": 1,
        "loads": shell.ranks.iter().map(load).collect::<Vec<_>>(),
    })
}

/// The metrics page; where there are several ranks, each has its series.
pub(super) fn metrics(shell: &Shell) -> String {
    let is_odd = shell.faults.strike(FaultKind::NanMetric).is_some();
    let lonely = shell.transfer.as_ref().map_or(0, Transfer::lonely);
    let rank = |(number, rank): (usize, &Rank)| (labels(shell, number), Shell::measure(rank).0);
    let ranks: Vec<_> = shell.ranks.iter().enumerate().map(rank).collect();
    let mut page = page::render("sglang:", METRICS, &ranks);
    let odd: [Row; 1] = [("gauge", "fwd_occupancy", |_| f64::NAN)];
    if is_odd {
        page.push_str(&page::render("sglang:", &odd, &ranks));
    }
    let _ = writeln!(
        page,
        "# TYPE sglang:num_prefill_bootstrap_queue_reqs gauge\nsglang:num_prefill_bootstrap_queue_reqs{{{}}} {lonely}",
        labels(shell, 0)
    );
    page
}

fn labels(shell: &Shell, rank: usize) -> String {
    let name = &shell.config.models[0];
    let engine = match mode(&shell.config) {
        "null" => "unified",
        mode => mode,
    };
    let dp_rank = match shell.ranks.len() {
        1 => String::new(),
        _ => format!("dp_rank=\"{rank}\","),
    };
    format!("{dp_rank}engine_type=\"{engine}\",model_name=\"{name}\"")
}

const METRICS: &[Row] = &[
    ("gauge", "num_running_reqs", |model| model.running.into()),
    ("gauge", "num_queue_reqs", |model| model.waiting.into()),
    ("gauge", "token_usage", ModelMetrics::kv_used),
    ("gauge", "num_used_tokens", |model| {
        tokens(model, model.blocks_in_use)
    }),
    ("gauge", "max_total_num_tokens", |model| {
        tokens(model, model.blocks_total)
    }),
    ("gauge", "page_size", |model| model.block_tokens.into()),
    ("gauge", "num_pages", |model| model.blocks_total.into()),
    ("counter", "prompt_tokens_total", |model| {
        float(model.prompt_tokens)
    }),
    ("counter", "generation_tokens_total", |model| {
        float(model.generation_tokens)
    }),
    ("counter", "cached_tokens_total", |model| {
        float(model.prefix_hits_tokens)
    }),
];
