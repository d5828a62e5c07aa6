//! What an engine says of itself in Text Generation Inference's words. Source: text-generation-inference db931fc.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::page::{self, Row, float};
use super::reply::{self, Body};
use crate::engine::shell::Shell;

const METRICS: &[Row] = &[
    ("gauge", "queue_size", |model| model.waiting.into()),
    ("gauge", "batch_current_size", |model| model.running.into()),
    ("gauge", "batch_current_max_tokens", |model| {
        page::tokens(model, model.blocks_in_use)
    }),
    ("counter", "request_count", |model| {
        float(model.finished + model.aborted) + f64::from(model.running + model.waiting)
    }),
    ("counter", "request_success", |model| float(model.finished)),
];

pub(super) fn metrics(shell: &Shell) -> String {
    let mut page = page::render("tgi_", METRICS, &[(String::new(), shell.total())]);
    let dropped = shell.total().aborted;
    page.push_str(&format!(
        "# TYPE tgi_request_failure counter\ntgi_request_failure{{err=\"dropped\"}} {dropped}\n"
    ));
    page
}

pub(super) fn unhealthy() -> Response<Body> {
    let error = json!({"error": "unhealthy", "error_type": "healthcheck"});
    reply::full(
        StatusCode::SERVICE_UNAVAILABLE,
        "application/json",
        error.to_string().into(),
    )
}

pub(super) fn info(shell: &Shell) -> Value {
    let config = &shell.config;
    let total = config.engine.max_model_tokens;
    json!({
        "model_id": config.models[0],
        "model_sha": null,
        "model_pipeline_tag": "text-generation",
        "max_concurrent_requests": 128,
        "max_best_of": 2,
        "max_stop_sequences": 4,
        "max_input_tokens": total - 1,
        "max_total_tokens": total,
        "validation_workers": 2,
        "max_client_batch_size": 4,
        "router": "text-generation-router",
        "version": "3.3.6",
        "sha": null,
    })
}
