//! What differs between kinds of engines.

use gateway_proto::{engines::TokenWire, prometheus::Dialect};

use crate::{EngineKind, feed::Listing};

/// Where a kind of engine answers what. Sources: vLLM 0.33, `SGLang` 0.5.23, TGI db931fc, MindIE-LLM 8b4871a.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    /// How its makers call it.
    pub(crate) called: &'static str,
    /// The routes that take token ids, best first; later ones where earlier ones are switched off.
    pub(crate) tokens: &'static [TokenWire],
    /// Answers 2xx when the engine is ready.
    pub(crate) health: &'static str,
    /// Prometheus text, where the kind has any.
    pub(crate) metrics: Option<&'static str>,
    /// How to read it; `None` finds out from the names.
    pub(crate) dialect: Option<Dialect>,
    /// Where it lists the publishers of its KV events, where the kind has any.
    pub(crate) feeds: Option<Listing>,
}

impl Profile {
    pub(crate) const fn of(kind: EngineKind) -> Self {
        match kind {
            EngineKind::Vllm => Self {
                called: "vLLM",
                tokens: &[TokenWire::VllmGenerate, TokenWire::VllmCompletions],
                health: "/health",
                metrics: Some("/metrics"),
                dialect: Some(Dialect::Vllm),
                feeds: Some(Listing::Vllm),
            },
            EngineKind::Sglang => Self {
                called: "SGLang",
                tokens: &[TokenWire::SglangGenerate],
                health: "/health",
                metrics: Some("/metrics"),
                dialect: Some(Dialect::Sglang),
                feeds: Some(Listing::Sglang),
            },
            EngineKind::Tgi => Self {
                called: "TGI",
                tokens: &[],
                health: "/health",
                metrics: Some("/metrics"),
                dialect: Some(Dialect::Tgi),
                feeds: None,
            },
            EngineKind::Mindie => Self {
                called: "MindIE",
                tokens: &[TokenWire::MindieInferToken],
                health: "/v2/health/ready",
                metrics: Some("/metrics"),
                dialect: Some(Dialect::MindIe),
                feeds: None,
            },
            // An unknown engine's health route is unknown too; every one lists its models.
            EngineKind::OpenAi => Self {
                called: "OpenAI-compatible",
                tokens: &[TokenWire::OpenAiCompletions],
                health: "/v1/models",
                metrics: None,
                dialect: None,
                feeds: None,
            },
        }
    }
}
