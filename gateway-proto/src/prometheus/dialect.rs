//! Which metric of which engine means what.

/// An engine's set of metric names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// vLLM, `vllm:`.
    Vllm,
    /// SGLang, `sglang:`.
    Sglang,
    /// Text Generation Inference, `tgi_`.
    Tgi,
    /// MindIE, names without a prefix.
    MindIe,
    /// TensorRT-LLM, `trtllm_`.
    TensorRtLlm,
    /// llama.cpp's server, `llamacpp:`.
    LlamaCpp,
}

/// A quantity that telemetry has a place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    Running,
    Waiting,
    KvUsed,
    CapacityTokens,
    CapacityBlocks,
    BlockTokens,
    PrefixQueries,
    PrefixHits,
    PromptTokens,
    GenerationTokens,
    Preemptions,
    /// vLLM's info metric: its labels are the numbers.
    CacheConfig,
    /// vLLM's LoRA adapters: its labels are the names, its value the time.
    Adapters,
}

impl Metric {
    pub(super) const COUNT: usize = 13;
}

/// What a metric name stands for.
///
/// SGLang and TensorRT-LLM count cached prompt tokens as part of the prompt tokens, so their prompt tokens are what was
/// looked up; llama.cpp's are without. MindIE publishes its prefix hits as a rate over all time only, in no stated unit; they are left out.
pub(super) fn lookup(name: &[u8]) -> Option<(Dialect, Metric)> {
    use Metric as M;
    let (dialect, metric) = match name {
        [b'v', b'l', b'l', b'm', b':', rest @ ..] => (Dialect::Vllm, vllm(rest)),
        [b's', b'g', b'l', b'a', b'n', b'g', b':', rest @ ..] => (Dialect::Sglang, sglang(rest)),
        [
            b'l',
            b'l',
            b'a',
            b'm',
            b'a',
            b'c',
            b'p',
            b'p',
            b':',
            rest @ ..,
        ] => (Dialect::LlamaCpp, llamacpp(rest)),
        [b't', b'r', b't', b'l', b'l', b'm', b'_', rest @ ..] => {
            (Dialect::TensorRtLlm, trtllm(rest))
        }
        b"tgi_batch_current_size" => (Dialect::Tgi, Some(M::Running)),
        b"tgi_queue_size" => (Dialect::Tgi, Some(M::Waiting)),
        _ => (Dialect::MindIe, mindie(name)),
    };
    Some((dialect, metric?))
}

fn vllm(name: &[u8]) -> Option<Metric> {
    Some(match name {
        b"num_requests_running" => Metric::Running,
        b"num_requests_waiting" => Metric::Waiting,
        b"kv_cache_usage_perc" | b"gpu_cache_usage_perc" => Metric::KvUsed,
        b"prefix_cache_queries_total" | b"gpu_prefix_cache_queries_total" => Metric::PrefixQueries,
        b"prefix_cache_hits_total" | b"gpu_prefix_cache_hits_total" => Metric::PrefixHits,
        b"prompt_tokens_total" => Metric::PromptTokens,
        b"generation_tokens_total" => Metric::GenerationTokens,
        b"num_preemptions_total" => Metric::Preemptions,
        b"cache_config_info" => Metric::CacheConfig,
        b"lora_requests_info" => Metric::Adapters,
        _ => return None,
    })
}

fn sglang(name: &[u8]) -> Option<Metric> {
    Some(match name {
        b"num_running_reqs" => Metric::Running,
        b"num_queue_reqs" => Metric::Waiting,
        b"token_usage" => Metric::KvUsed,
        b"max_total_num_tokens" => Metric::CapacityTokens,
        b"page_size" => Metric::BlockTokens,
        b"cached_tokens_total" => Metric::PrefixHits,
        b"prompt_tokens_total" => Metric::PromptTokens,
        b"generation_tokens_total" => Metric::GenerationTokens,
        _ => return None,
    })
}

fn mindie(name: &[u8]) -> Option<Metric> {
    Some(match name {
        b"num_requests_running" => Metric::Running,
        b"num_requests_waiting" => Metric::Waiting,
        b"npu_cache_usage_perc" => Metric::KvUsed,
        b"prompt_tokens_total" => Metric::PromptTokens,
        b"generation_tokens_total" => Metric::GenerationTokens,
        b"num_preemptions_total" => Metric::Preemptions,
        _ => return None,
    })
}

fn trtllm(name: &[u8]) -> Option<Metric> {
    Some(match name {
        b"num_requests_running" => Metric::Running,
        b"num_requests_waiting" => Metric::Waiting,
        b"kv_cache_utilization" => Metric::KvUsed,
        b"kv_cache_max_blocks" => Metric::CapacityBlocks,
        b"kv_cache_tokens_per_block" => Metric::BlockTokens,
        b"prompt_tokens_total" => Metric::PromptTokens,
        b"prompt_cached_tokens_total" => Metric::PrefixHits,
        b"generation_tokens_total" => Metric::GenerationTokens,
        _ => return None,
    })
}

fn llamacpp(name: &[u8]) -> Option<Metric> {
    Some(match name {
        b"requests_processing" => Metric::Running,
        b"requests_deferred" => Metric::Waiting,
        b"kv_cache_usage_ratio" => Metric::KvUsed,
        b"prompt_tokens_total" => Metric::PromptTokens,
        b"prompt_tokens_cached_total" => Metric::PrefixHits,
        b"tokens_predicted_total" => Metric::GenerationTokens,
        _ => return None,
    })
}
