//! What is on the page, under vLLM's names.

use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

use super::page::{Page, float, number};
use crate::engine::clock::Clock;
use crate::engine::faults::FaultKind;
use crate::engine::recorder::Recorder;
use crate::engine::shell::Shell;
use crate::engine::transfer::Connector;
use crate::model::ModelMetrics;

/// The page in Prometheus' text format, with the series of every rank.
pub(in crate::engine) fn render(shell: &Shell) -> String {
    let mut page = Page::new(&shell.config.models[0]);
    let is_odd = shell.faults.strike(FaultKind::NanMetric).is_some();
    for rank in &shell.ranks {
        let (model, recorder) = Shell::measure(rank);
        page.engine = rank.number;
        let kv_used = if is_odd { f64::NAN } else { model.kv_used() };
        gauges(&mut page, &model, kv_used);
        counters(&mut page, &model);
        // Refusals are the whole engine's; the first rank's series has them.
        let rejected = match rank.number {
            0 => shell.stats().rejected,
            _ => 0,
        };
        outcomes(&mut page, &recorder, rejected);
        histograms(&mut page, &recorder);
        cache_config(&mut page, shell);
        transfers(&mut page, shell);
    }
    adapters(&mut page, shell);
    page.into_text()
}

fn gauges(page: &mut Page<'_>, model: &ModelMetrics, kv_used: f64) {
    let waiting = f64::from(model.waiting);
    page.single(
        "num_requests_running",
        "gauge",
        "Number of requests in model execution batches.",
        f64::from(model.running),
    );
    page.single(
        "num_requests_waiting",
        "gauge",
        "Number of requests waiting to be processed.",
        waiting,
    );
    page.family(
        "num_requests_waiting_by_reason",
        "gauge",
        "Number of waiting requests by reason.",
    );
    page.sample(
        "num_requests_waiting_by_reason",
        "reason=\"capacity\",",
        waiting,
    );
    page.sample(
        "num_requests_waiting_by_reason",
        "reason=\"deferred\",",
        0.0,
    );
    page.single(
        "kv_cache_usage_perc",
        "gauge",
        "KV-cache usage. 1 means 100 percent usage.",
        kv_used,
    );
    page.family("engine_sleep_state", "gauge", "Engine sleep state.");
    page.sample("engine_sleep_state", "sleep_state=\"awake\",", 1.0);
}

fn counters(page: &mut Page<'_>, model: &ModelMetrics) {
    let hits = model.prefix_hits_tokens;
    let single = [
        (
            "prefix_cache_queries_total",
            "Prefix cache queries, in tokens.",
            model.prefix_queries_tokens,
        ),
        (
            "prefix_cache_hits_total",
            "Prefix cache hits, in tokens.",
            hits,
        ),
        (
            "num_preemptions_total",
            "Cumulative number of preemptions.",
            model.preemptions,
        ),
        (
            "prompt_tokens_total",
            "Number of prefill tokens processed.",
            model.prompt_tokens,
        ),
        (
            "generation_tokens_total",
            "Number of generation tokens processed.",
            model.generation_tokens,
        ),
    ];
    for (name, help, value) in single {
        page.single(name, "counter", help, float(value));
    }
    page.family(
        "prompt_tokens_by_source_total",
        "counter",
        "Number of prompt tokens by source.",
    );
    let computed = model.prompt_tokens.saturating_sub(hits);
    for (source, value) in [("local_compute", computed), ("local_cache_hit", hits)] {
        page.sample(
            "prompt_tokens_by_source_total",
            &format!("source=\"{source}\","),
            float(value),
        );
    }
}

fn outcomes(page: &mut Page<'_>, recorder: &Recorder, rejected: u64) {
    page.family(
        "request_success_total",
        "counter",
        "Count of successfully processed requests.",
    );
    // Withdrawn requests are in no counter, as with vLLM.
    for (reason, value) in [
        ("stop", recorder.stopped),
        ("length", recorder.cut),
        ("abort", 0),
        ("error", 0),
    ] {
        page.sample(
            "request_success_total",
            &format!("finished_reason=\"{reason}\","),
            float(value),
        );
    }
    page.family(
        "admission_rejections_total",
        "counter",
        "Requests refused at admission.",
    );
    page.sample(
        "admission_rejections_total",
        "reason=\"max_num_queued_reqs\",",
        float(rejected),
    );
}

fn histograms(page: &mut Page<'_>, recorder: &Recorder) {
    let all = [
        (
            "time_to_first_token_seconds",
            "Histogram of time to first token in seconds.",
            &recorder.ttft,
        ),
        (
            "inter_token_latency_seconds",
            "Histogram of inter-token latency in seconds.",
            &recorder.itl,
        ),
        (
            "request_time_per_output_token_seconds",
            "Histogram of time per output token in seconds per request.",
            &recorder.tpot,
        ),
        (
            "e2e_request_latency_seconds",
            "Histogram of e2e request latency in seconds.",
            &recorder.e2e,
        ),
        (
            "request_queue_time_seconds",
            "Histogram of time spent in WAITING phase for request.",
            &recorder.queue,
        ),
        (
            "request_prompt_tokens",
            "Number of prefill tokens processed.",
            &recorder.prompt_tokens,
        ),
        (
            "request_generation_tokens",
            "Number of generation tokens processed.",
            &recorder.generation_tokens,
        ),
    ];
    for (name, help, histogram) in all {
        page.histogram(name, help, histogram);
    }
}

fn cache_config(page: &mut Page<'_>, shell: &Shell) {
    let engine = &shell.config.engine;
    let caching = if engine.prefix_caching {
        "True"
    } else {
        "False"
    };
    page.family(
        "cache_config_info",
        "gauge",
        "Information of the LLMEngine CacheConfig",
    );
    let rank = page.engine;
    let _ = writeln!(
        page.samples(),
        "vllm:cache_config_info{{block_size=\"{}\",cache_dtype=\"auto\",enable_prefix_caching=\"{caching}\",\
         engine=\"{}\",num_cpu_blocks=\"None\",num_gpu_blocks=\"{}\",sliding_window=\"None\"}} 1.0",
        engine.block_tokens,
        rank,
        engine.kv_blocks,
    );
}

/// What became of transfers between engines, where this one takes part in them, under the names of its connector.
fn transfers(page: &mut Page<'_>, shell: &Shell) {
    let Some(own) = shell.transfer.as_ref().filter(|_| page.engine == 0) else {
        return;
    };
    let stats = shell.stats();
    let counters = match own.config.connector {
        Connector::Nixl => [
            (
                "nixl_num_failed_transfers_total",
                "Number of failed NIXL KV Cache transfers.",
                stats.pulls_failed,
            ),
            (
                "nixl_num_kv_expired_reqs_total",
                "Number of requests that had their KV expire.",
                stats.handoffs_expired,
            ),
            (
                "nixl_num_notifications_after_expiry_total",
                "Number of completion notifications for requests that were no longer tracked.",
                stats.handoffs_missed,
            ),
        ],
        Connector::Mooncake => [
            (
                "mooncake_num_failed_transfers_total",
                "Number of failed Mooncake KV Cache transfers.",
                own.counts.unsent.load(Relaxed),
            ),
            (
                "mooncake_num_failed_recvs_total",
                "Number of failed Mooncake KV Cache receives.",
                stats.pulls_failed,
            ),
            (
                "mooncake_num_kv_expired_reqs_total",
                "Number of requests that had their KV expire.",
                stats.handoffs_expired,
            ),
        ],
    };
    for (name, help, value) in counters {
        page.single(name, "counter", help, float(value));
    }
}

/// vLLM's list of adapters, as it writes it: names in a label, seconds since 1970 as the value.
fn adapters(page: &mut Page<'_>, shell: &Shell) {
    let names = shell.adapters.names();
    if names.is_empty() {
        return;
    }
    page.family(
        "lora_requests_info",
        "gauge",
        "Running stats on lora requests.",
    );
    let _ = writeln!(
        page.samples(),
        "vllm:lora_requests_info{{max_lora=\"{}\",running_lora_adapters=\"{}\",waiting_lora_adapters=\"\"}} {}",
        shell.config.max_adapters,
        names.join(","),
        number(Clock::unix_seconds())
    );
}
