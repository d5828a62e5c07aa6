//! TensorRT-LLM: iteration statistics. Source: `serve/openai_server.py`, the iteration stats of the executor.

use std::collections::BTreeMap;

use gateway_core::load::Telemetry;
use serde::Deserialize;

use super::numbers::{Count, requests, share, sum};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Iteration {
    #[serde(default)]
    attention_dp_rank: Count,
    #[serde(default)]
    num_active_requests: Count,
    #[serde(default)]
    num_queued_requests: Count,
    #[serde(default)]
    kv_cache_stats: Option<Cache>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Cache {
    max_num_blocks: Count,
    used_num_blocks: Count,
    tokens_per_block: Count,
    reused_blocks: Count,
    missed_blocks: Count,
}

/// The latest iteration of each rank. Between two questions without an iteration the list is empty, and nothing is known.
pub(super) fn iterations(body: &[u8]) -> Option<Telemetry> {
    let list: Vec<Iteration> = serde_json::from_slice(body).ok()?;
    let mut latest = BTreeMap::new();
    for iteration in list {
        latest.insert(iteration.attention_dp_rank.0, iteration);
    }
    let caches = || {
        latest
            .values()
            .filter_map(|rank| rank.kv_cache_stats.as_ref())
    };
    let usages =
        caches().filter_map(|cache| share(cache.used_num_blocks.0, cache.max_num_blocks.0));
    let hits = sum(caches().map(|cache| cache.tokens(cache.reused_blocks)));
    let missed = sum(caches().map(|cache| cache.tokens(cache.missed_blocks)));
    Some(Telemetry {
        running: requests(latest.values().map(|rank| rank.num_active_requests)),
        waiting: requests(latest.values().map(|rank| rank.num_queued_requests)),
        kv_used: usages.reduce(f32::max),
        kv_capacity_tokens: sum(caches().map(|cache| cache.tokens(cache.max_num_blocks))),
        block_tokens: caches().find_map(|cache| cache.tokens_per_block.requests()),
        prefix_queries_tokens: hits
            .zip(missed)
            .map(|(hits, missed)| hits.saturating_add(missed)),
        prefix_hits_tokens: hits,
        ..Telemetry::default()
    })
}

impl Cache {
    fn tokens(&self, blocks: Count) -> Option<u64> {
        blocks.0?.checked_mul(self.tokens_per_block.0?)
    }
}
