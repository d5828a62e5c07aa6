//! The reports, and how two readings become one.

use gateway_core::load::Telemetry;

use super::{llamacpp, mindie, sglang, trtllm};

/// A kind of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoadReport {
    /// SGLang's `GET /v1/loads` (0.5.10 and later).
    SglangLoads,
    /// SGLang's `GET /get_load` (until 0.5.20).
    SglangLoad,
    /// MindIE-LLM's `GET /v2/status`, or `/v1/status`.
    MindieStatus,
    /// TensorRT-LLM's `GET /metrics`: the iterations since it was last asked.
    TrtllmIterations,
    /// The `GET /slots` of llama.cpp's server.
    LlamacppSlots,
}

impl LoadReport {
    /// Reads a report. What is missing or makes no sense stays unknown; it never fails. The caller bounds the size.
    #[must_use]
    pub fn read(self, body: &[u8]) -> Telemetry {
        self.read_rank(body, None)
    }

    /// The same of one data-parallel rank alone, where the report tells ranks apart as SGLang's do.
    #[must_use]
    pub fn read_rank(self, body: &[u8], rank: Option<u32>) -> Telemetry {
        let read = match self {
            Self::SglangLoads => sglang::loads(body, rank),
            Self::SglangLoad => sglang::load(body, rank),
            Self::MindieStatus => mindie::status(body),
            Self::TrtllmIterations => trtllm::iterations(body),
            Self::LlamacppSlots => llamacpp::slots(body),
        };
        read.unwrap_or_default()
    }
}

/// What `first` says, and of what it leaves open, what `second` says.
#[must_use]
pub fn completed(first: Telemetry, second: Telemetry) -> Telemetry {
    Telemetry {
        running: first.running.or(second.running),
        waiting: first.waiting.or(second.waiting),
        kv_used: first.kv_used.or(second.kv_used),
        kv_capacity_tokens: first.kv_capacity_tokens.or(second.kv_capacity_tokens),
        block_tokens: first.block_tokens.or(second.block_tokens),
        prefix_queries_tokens: first.prefix_queries_tokens.or(second.prefix_queries_tokens),
        prefix_hits_tokens: first.prefix_hits_tokens.or(second.prefix_hits_tokens),
        prompt_tokens: first.prompt_tokens.or(second.prompt_tokens),
        generation_tokens: first.generation_tokens.or(second.generation_tokens),
        preemptions: first.preemptions.or(second.preemptions),
    }
}
