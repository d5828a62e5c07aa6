//! What an engine says of itself in TensorRT-LLM's words.

use serde_json::{Value, json};

use super::page::{self, Row, float, hit_rate};
use crate::engine::kv::{KeptEvents, Outlet};
use crate::engine::rank::Rank;
use crate::engine::shell::Shell;
use crate::model::ModelMetrics;

const METRICS: &[Row] = &[
    ("gauge", "num_requests_running", |model| {
        model.running.into()
    }),
    ("gauge", "num_requests_waiting", |model| {
        model.waiting.into()
    }),
    ("gauge", "kv_cache_utilization", ModelMetrics::kv_used),
    ("gauge", "kv_cache_hit_rate", hit_rate),
    ("gauge", "kv_cache_tokens_per_block", |model| {
        model.block_tokens.into()
    }),
    ("gauge", "kv_cache_max_blocks", |model| {
        model.blocks_total.into()
    }),
    ("gauge", "kv_cache_used_blocks", |model| {
        model.blocks_in_use.into()
    }),
    ("gauge", "kv_cache_free_blocks", |model| {
        (model.blocks_total - model.blocks_in_use).into()
    }),
    ("counter", "prompt_tokens_total", |model| {
        float(model.prompt_tokens)
    }),
    ("counter", "prompt_cached_tokens_total", |model| {
        float(model.prefix_hits_tokens)
    }),
    ("counter", "generation_tokens_total", |model| {
        float(model.generation_tokens)
    }),
    ("counter", "request_success_total", |model| {
        float(model.finished)
    }),
];

/// `/prometheus/metrics`.
pub(super) fn metrics(shell: &Shell) -> String {
    let labels = format!(
        "model_name=\"{}\",engine_type=\"trtllm\"",
        shell.config.models[0]
    );
    page::render("trtllm_", METRICS, &[(labels, shell.total())])
}

/// `/metrics`: the latest iteration of each rank, in JSON.
pub(super) fn iterations(shell: &Shell) -> Value {
    let iteration = |rank: &Rank| {
        let (model, _) = Shell::measure(rank);
        let block = u64::from(model.block_tokens);
        let missed = model.prefix_queries_tokens - model.prefix_hits_tokens;
        json!({
            "iter": model.steps,
            "attentionDpRank": rank.number,
            "numActiveRequests": model.running,
            "numQueuedRequests": model.waiting,
            "maxNumActiveRequests": shell.config.engine.max_sequences,
            "kvCacheStats": {
                "maxNumBlocks": model.blocks_total,
                "freeNumBlocks": model.blocks_total - model.blocks_in_use,
                "usedNumBlocks": model.blocks_in_use,
                "tokensPerBlock": block,
                "reusedBlocks": model.prefix_hits_tokens / block,
                "missedBlocks": missed / block,
                "cacheHitRate": hit_rate(&model),
            },
        })
    };
    shell.ranks.iter().map(iteration).collect()
}

/// `/kv_cache_events`: what happened to the caches since somebody last asked.
pub(super) fn kv_cache_events(shell: &Shell) -> Value {
    let outlets = shell.ranks.iter().filter_map(|rank| rank.kv.as_ref());
    let kept = outlets.filter_map(Outlet::kept);
    kept.flat_map(KeptEvents::take).collect()
}
