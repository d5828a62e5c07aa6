//! What the engine says of itself.

use std::time::Duration;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::reply::{self, Body};
use super::{llamacpp, mindie, sglang, tgi, trtllm};
use crate::engine::faults::FaultKind;
use crate::engine::flavour::Flavour;
use crate::engine::kv::KvFeed;
use crate::engine::metrics;
use crate::engine::shell::Shell;

pub(super) async fn health(shell: &Shell) -> Response<Body> {
    if let Some(spec) = shell.faults.strike(FaultKind::SlowHealth) {
        tokio::time::sleep(Duration::from_millis(spec.millis.unwrap_or(1_000))).await;
    }
    match shell.faults.strike(FaultKind::Health503) {
        Some(_) => match shell.config.flavour {
            Flavour::Llamacpp => llamacpp::loading(),
            Flavour::Tgi => tgi::unhealthy(),
            _ => reply::empty(StatusCode::SERVICE_UNAVAILABLE),
        },
        None if shell.config.flavour == Flavour::Llamacpp => reply::json(&json!({"status": "ok"})),
        None => reply::empty(StatusCode::OK),
    }
}

pub(super) fn metrics(shell: &Shell) -> Response<Body> {
    let page = match shell.config.flavour {
        Flavour::Vllm => metrics::render(shell),
        Flavour::Sglang => sglang::metrics(shell),
        Flavour::Mindie => mindie::metrics(shell),
        Flavour::Trtllm => trtllm::metrics(shell),
        Flavour::Llamacpp => llamacpp::metrics(shell),
        Flavour::Tgi => tgi::metrics(shell),
    };
    reply::full(
        StatusCode::OK,
        "text/plain; version=1.0.0; charset=utf-8",
        page.into(),
    )
}

pub(super) fn models(shell: &Shell) -> Value {
    let config = &shell.config;
    let root = &config.models[0];
    let entry = |name: &String, parent: Option<&String>| {
        json!({
            "id": name,
            "object": "model",
            "created": 1_767_225_600,
            "owned_by": config.flavour.owner(),
            "root": root,
            "parent": parent,
            "max_model_len": config.engine.max_model_tokens,
            "permission": [],
        })
    };
    let models = config.models.iter().map(|name| entry(name, None));
    let names = shell.adapters.names();
    let adapters = names.iter().map(|name| entry(name, Some(root)));
    json!({"object": "list", "data": models.chain(adapters).collect::<Vec<_>>()})
}

pub(super) fn kv_event_sources(shell: &Shell) -> Value {
    let source = |feed: &KvFeed| {
        let bound = &feed.bound;
        json!({
            "enable_kv_cache_events": true,
            "publisher": "zmq",
            "endpoint": format!("tcp://{}", bound.publish),
            "replay_endpoint": bound.replay.map(|addr| format!("tcp://{addr}")),
            "buffer_steps": bound.buffer_steps,
            "hwm": 100_000,
            "max_queue_size": bound.max_queue,
            "topic": bound.topic,
        })
    };
    let ranks = shell.ranks.iter();
    let sources = ranks.filter_map(|rank| {
        let feed = rank.kv.as_ref()?.published()?;
        Some((rank.number.to_string(), source(feed)))
    });
    Value::Object(sources.collect())
}
