//! What an engine says of itself in llama.cpp's words. Source: recordings of b11434.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::page::{self, Row, float};
use super::reply::{self, Body};
use crate::engine::shell::Shell;

const METRICS: &[Row] = &[
    // Those that the cache had are not among them.
    ("counter", "prompt_tokens_total", |model| {
        float(model.prompt_tokens.saturating_sub(model.prefix_hits_tokens))
    }),
    ("counter", "prompt_tokens_cached_total", |model| {
        float(model.prefix_hits_tokens)
    }),
    ("counter", "tokens_predicted_total", |model| {
        float(model.generation_tokens)
    }),
    ("counter", "n_decode_total", |model| float(model.steps)),
    ("gauge", "requests_processing", |model| model.running.into()),
    ("gauge", "requests_deferred", |model| model.waiting.into()),
];

pub(super) fn metrics(shell: &Shell) -> String {
    page::render("llamacpp:", METRICS, &[(String::new(), shell.total())])
}

pub(super) fn loading() -> Response<Body> {
    let error =
        json!({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}});
    let status = StatusCode::SERVICE_UNAVAILABLE;
    reply::full(
        status,
        "application/json; charset=utf-8",
        error.to_string().into(),
    )
}

pub(super) fn models(shell: &Shell) -> Value {
    let config = &shell.config;
    let context = config.engine.max_model_tokens;
    let entry = |name: &String| {
        json!({
            "id": name,
            "aliases": [name],
            "object": "model",
            "created": 1_767_225_600,
            "owned_by": "llamacpp",
            "meta": {"n_vocab": shell.voice.vocabulary(), "n_ctx": context, "n_ctx_train": context},
        })
    };
    let listed: Vec<_> = config
        .models
        .iter()
        .map(|name| json!({"name": name, "model": name}))
        .collect();
    json!({"models": listed, "object": "list", "data": config.models.iter().map(entry).collect::<Vec<_>>()})
}

pub(super) fn props(shell: &Shell) -> Value {
    let engine = &shell.config.engine;
    json!({
        "default_generation_settings": {"params": {"n_predict": -1, "stream": false}, "n_ctx": engine.max_model_tokens},
        "total_slots": engine.max_sequences,
        "model_alias": shell.config.models[0],
        "model_path": format!("models/{}.gguf", shell.config.models[0]),
        "modalities": {"vision": false, "audio": false},
        "endpoint_slots": true,
        "endpoint_metrics": true,
        "chat_template": "",
    })
}

/// `/slots`; with `fail_on_no_slot=1` 503 where none is free.
pub(super) fn slots(shell: &Shell, query: Option<&str>) -> Response<Body> {
    let running = shell.total().running;
    let total = shell.config.engine.max_sequences;
    let fails = query.is_some_and(|query| query.split('&').any(|part| part == "fail_on_no_slot=1"));
    if fails && running >= total {
        let error = json!({"error": {"code": 503, "message": "no slot available", "type": "unavailable_error"}});
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return reply::full(
            status,
            "application/json; charset=utf-8",
            error.to_string().into(),
        );
    }
    let slot = |id: u32| {
        json!({"id": id, "n_ctx": shell.config.engine.max_model_tokens, "speculative": false,
            "is_processing": id < running})
    };
    reply::json(&(0..total).map(slot).collect())
}
