//! Finding out what listens at an address.

use std::time::Duration;

use gateway_proto::openai::ModelCard;

use super::{EngineClient, HttpEngine};
use crate::{Credential, EngineKind, RouteError, Target};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detected {
    /// The kind of engine.
    pub kind: EngineKind,
    /// The models it lists; LoRA adapters are listed too, with their base model as `parent`.
    pub models: Vec<ModelCard>,
}

/// Asks an engine for its models and tells its kind by who owns them, else by the names of its metrics. What answers
/// neither way is taken as any engine with OpenAI's routes.
///
/// # Errors
/// Where nothing answers, or not with a models list.
pub async fn detect(
    target: &Target,
    credential: Option<&Credential>,
    patience: Duration,
) -> Result<Detected, RouteError> {
    let engine = |kind| HttpEngine::new(target.clone(), kind, credential.cloned(), 1, patience);
    let models = engine(EngineKind::OpenAi).models().await?;
    let owner = models.first().map_or("", |card| card.owned_by.as_str());
    let kind = match owner {
        "vllm" => EngineKind::Vllm,
        "sglang" => EngineKind::Sglang,
        _ => kind_by_metrics(engine).await,
    };
    Ok(Detected { kind, models })
}

/// A kind whose telemetry parser finds running or waiting requests in `/metrics` is the kind.
async fn kind_by_metrics(engine: impl Fn(EngineKind) -> HttpEngine) -> EngineKind {
    for kind in [EngineKind::Tgi, EngineKind::Mindie] {
        let reading = engine(kind).telemetry().await.unwrap_or_default();
        if reading.running.is_some() || reading.waiting.is_some() {
            return kind;
        }
    }
    EngineKind::OpenAi
}
