//! What differs between kinds of engines.

use gateway_proto::{engines::TokenWire, loads::LoadReport, prometheus::Dialect};

use super::readings::{Form, Reading};
use crate::{EngineKind, feed::Listing};

/// Where a kind of engine answers what. Of several routes the first that is there counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    /// How its makers call it.
    pub(crate) called: &'static str,
    /// The routes that take token ids.
    pub(crate) tokens: &'static [TokenWire],
    /// Answers 2xx when the engine is ready.
    pub(crate) health: &'static [&'static str],
    /// How busy it is.
    pub(crate) load: &'static [Reading],
    /// What it counts, for all that its load leaves open.
    pub(crate) metrics: &'static [Reading],
    /// Where it loads LoRA adapters, where the kind can while it runs.
    pub(crate) adapters: Option<&'static str>,
    /// Where it lists the publishers of its KV events, where the kind has any.
    pub(crate) feeds: Option<Listing>,
    /// Where it gives away the KV events that it keeps, where the kind publishes none.
    pub(crate) events: Option<&'static str>,
}

impl Profile {
    pub(crate) const fn of(kind: EngineKind) -> Self {
        match kind {
            EngineKind::Vllm => VLLM,
            EngineKind::Sglang => SGLANG,
            EngineKind::Tgi => TGI,
            EngineKind::Mindie => MINDIE,
            EngineKind::TensorRtLlm => TENSORRT_LLM,
            EngineKind::LlamaCpp => LLAMA_CPP,
            EngineKind::OpenAi => OPENAI,
        }
    }
}

/// Source: 0.33.
const VLLM: Profile = Profile {
    called: "vLLM",
    tokens: &[TokenWire::VllmGenerate, TokenWire::VllmCompletions],
    health: &["/health"],
    load: &[],
    metrics: &[Reading::page("/metrics", Dialect::Vllm)],
    adapters: Some("/v1/load_lora_adapter"),
    feeds: Some(Listing::Vllm),
    events: None,
};

/// Source: 0.5.23. `/ready` is there since 0.5.20, `/v1/loads` since 0.5.10, `/get_load` until 0.5.20; metrics are off
/// unless switched on.
const SGLANG: Profile = Profile {
    called: "SGLang",
    tokens: &[TokenWire::SglangGenerate],
    health: &["/ready", "/health"],
    load: &[
        Reading::report("/v1/loads", LoadReport::SglangLoads),
        Reading::report("/get_load", LoadReport::SglangLoad),
    ],
    metrics: &[Reading::page("/metrics", Dialect::Sglang)],
    adapters: Some("/load_lora_adapter"),
    feeds: Some(Listing::Sglang),
    events: None,
};

/// Source: db931fc. Ids come out, with details, but none go in.
const TGI: Profile = Profile {
    called: "TGI",
    tokens: &[],
    health: &["/health"],
    load: &[],
    metrics: &[Reading::page("/metrics", Dialect::Tgi)],
    adapters: None,
    feeds: None,
    events: None,
};

/// Source: MindIE-LLM 8b4871a. All but the inference routes are on its management port.
const MINDIE: Profile = Profile {
    called: "MindIE",
    tokens: &[TokenWire::MindieInferToken],
    health: &["/v2/health/ready"],
    load: &[
        Reading::report("/v2/status", LoadReport::MindieStatus),
        Reading::report("/v1/status", LoadReport::MindieStatus),
    ],
    metrics: &[Reading::page("/metrics", Dialect::MindIe)],
    adapters: None,
    feeds: None,
    events: None,
};

/// Source: 0076e93. The Prometheus page is there where the server returns performance metrics. Its `/metrics` is a list of
/// iterations, which is emptied by asking.
const TENSORRT_LLM: Profile = Profile {
    called: "TensorRT-LLM",
    tokens: &[TokenWire::TrtllmCompletions],
    health: &["/health"],
    load: &[],
    metrics: &[
        Reading::page("/prometheus/metrics", Dialect::TensorRtLlm),
        Reading {
            route: "/metrics",
            form: Form::Either(LoadReport::TrtllmIterations, Dialect::TensorRtLlm),
        },
    ],
    adapters: None,
    feeds: None,
    events: Some("/kv_cache_events"),
};

/// Source: 00dc805. Metrics are off unless switched on; they count what waits, which no slot shows.
const LLAMA_CPP: Profile = Profile {
    called: "llama.cpp",
    tokens: &[TokenWire::LlamacppCompletion],
    health: &["/health"],
    load: &[Reading::report("/slots", LoadReport::LlamacppSlots)],
    metrics: &[Reading::page("/metrics", Dialect::LlamaCpp)],
    adapters: None,
    feeds: None,
    events: None,
};

/// An unknown engine's health route is unknown too; every one lists its models.
const OPENAI: Profile = Profile {
    called: "OpenAI-compatible",
    tokens: &[TokenWire::OpenAiCompletions],
    health: &["/v1/models"],
    load: &[],
    metrics: &[],
    adapters: None,
    feeds: None,
    events: None,
};
