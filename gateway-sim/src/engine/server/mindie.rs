//! What an engine says of itself in MindIE-LLM's words. Source: MindIE-LLM 8b4871a.

use serde_json::{Value, json};

use super::page::{self, Row, float, hit_rate};
use crate::engine::shell::Shell;
use crate::model::ModelMetrics;

const METRICS: &[Row] = &[
    ("counter", "request_received_total", |model| {
        float(model.finished + model.aborted) + f64::from(model.running + model.waiting)
    }),
    ("counter", "request_success_total", |model| {
        float(model.finished)
    }),
    ("counter", "request_failed_total", |model| {
        float(model.aborted)
    }),
    ("gauge", "num_requests_running", |model| {
        model.running.into()
    }),
    ("gauge", "num_requests_waiting", |model| {
        model.waiting.into()
    }),
    ("gauge", "num_requests_swapped", |_| 0.0),
    ("counter", "num_preemptions_total", |model| {
        float(model.preemptions)
    }),
    ("counter", "prompt_tokens_total", |model| {
        float(model.prompt_tokens)
    }),
    ("counter", "generation_tokens_total", |model| {
        float(model.generation_tokens)
    }),
    ("gauge", "npu_cache_usage_perc", ModelMetrics::kv_used),
    ("gauge", "npu_prefix_cache_hit_rate", hit_rate),
];

pub(super) fn metrics(shell: &Shell) -> String {
    let labels = format!("model_name=\"{}\"", shell.config.models[0]);
    page::render("", METRICS, &[(labels, shell.total())])
}

/// `/v1/status`, and with `is_second` `/v2/status`.
pub(super) fn status(shell: &Shell, is_second: bool) -> Value {
    let model = shell.total();
    let slots = shell.config.engine.max_sequences * shell.config.dp_ranks;
    let free_slots = slots.saturating_sub(model.running);
    let free_blocks = model.blocks_total - model.blocks_in_use;
    let mut status = json!({
        "service": {"roleStatus": "RoleReady", "currentRole": "none"},
        "resource": {
            "availSlotsNum": free_slots,
            "availBlockNum": free_blocks,
            "waitingRequestNum": model.waiting,
            "runningRequestNum": model.running,
            "swappedRequestNum": 0,
            "freeNpuBlockNums": free_blocks,
            "freeCpuBlockNums": 0,
            "totalNpuBlockNums": model.blocks_total,
            "totalCpuBlockNums": 0,
        },
        "linkStatus": {"peers": []},
    });
    if is_second {
        let resource = &mut status["resource"];
        resource["totalAvailNpuSlotsNum"] = free_slots.into();
        resource["totalAvailNpuBlockNum"] = free_blocks.into();
        resource["maxAvailNpuBlockNum"] = free_blocks.into();
    }
    status
}
