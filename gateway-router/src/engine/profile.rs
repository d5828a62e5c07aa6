//! What differs between kinds of engines in text mode.

use gateway_proto::prometheus::Dialect;

use crate::EngineKind;

/// Where a kind of engine answers what. Sources: vLLM 0.33, `SGLang` 0.5.23, TGI db931fc, MindIE-LLM 8b4871a.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    /// Answers 2xx when the engine is ready.
    pub(crate) health: &'static str,
    /// Prometheus text, where the kind has any.
    pub(crate) metrics: Option<&'static str>,
    /// How to read it; `None` finds out from the names.
    pub(crate) dialect: Option<Dialect>,
}

impl Profile {
    pub(crate) const fn of(kind: EngineKind) -> Self {
        match kind {
            EngineKind::Vllm => Self {
                health: "/health",
                metrics: Some("/metrics"),
                dialect: Some(Dialect::Vllm),
            },
            EngineKind::Sglang => Self {
                health: "/health",
                metrics: Some("/metrics"),
                dialect: Some(Dialect::Sglang),
            },
            EngineKind::Tgi => Self {
                health: "/health",
                metrics: Some("/metrics"),
                dialect: Some(Dialect::Tgi),
            },
            EngineKind::Mindie => Self {
                health: "/v2/health/ready",
                metrics: Some("/metrics"),
                dialect: Some(Dialect::MindIe),
            },
            // An unknown engine's health route is unknown too; every one lists its models.
            EngineKind::OpenAi => Self {
                health: "/v1/models",
                metrics: None,
                dialect: None,
            },
        }
    }
}
