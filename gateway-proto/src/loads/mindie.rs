//! MindIE-LLM. Source: 8b4871a, `http_wrapper/http_handler.cpp`.

use gateway_core::load::Telemetry;
use serde::Deserialize;

use super::numbers::{Count, requests, share};

#[derive(Deserialize)]
struct Status {
    resource: Resource,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(default)]
    waiting_request_num: Count,
    #[serde(default)]
    running_request_num: Count,
    #[serde(default)]
    swapped_request_num: Count,
    #[serde(default)]
    free_npu_block_nums: Count,
    #[serde(default)]
    total_npu_block_nums: Count,
}

/// Requests that were swapped out wait for room like others. How many tokens a block has is not said.
pub(super) fn status(body: &[u8]) -> Option<Telemetry> {
    let told = serde_json::from_slice::<Status>(body).ok()?.resource;
    let all = told.total_npu_block_nums.0;
    let used = all.zip(told.free_npu_block_nums.0);
    let used = used.map(|(all, free)| all.saturating_sub(free));
    Some(Telemetry {
        running: told.running_request_num.requests(),
        waiting: requests([told.waiting_request_num, told.swapped_request_num]),
        kv_used: share(used, all),
        ..Telemetry::default()
    })
}
