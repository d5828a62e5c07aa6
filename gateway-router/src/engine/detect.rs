//! Finding out what listens at an address.

use std::time::Duration;

use gateway_proto::openai::ModelCard;
use serde::{Deserialize, de::IgnoredAny};

use super::{EngineClient, HttpEngine};
use crate::{Credential, EngineKind, ErrorKind, RouteError, Target};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detected {
    /// The kind of engine.
    pub kind: EngineKind,
    /// The models it lists; LoRA adapters are listed too, with their base model as `parent`.
    pub models: Vec<ModelCard>,
}

/// Asks an engine for its models and tells its kind by who owns them; else by routes that one kind alone has, else by the
/// names of its metrics. What answers none of these ways, but lists models, is taken as any engine with OpenAI's routes.
///
/// # Errors
/// Where nothing answers, or not with a models list or TGI's description of itself.
pub async fn detect(
    target: &Target,
    credential: Option<&Credential>,
    patience: Duration,
) -> Result<Detected, RouteError> {
    let engine = |kind| HttpEngine::new(target.clone(), kind, credential.cloned(), 1, patience);
    let asked = engine(EngineKind::OpenAi);
    let listed = asked.models().await;
    match &listed {
        Ok(models) => {
            if let Some(kind) = kind_by_owner(models) {
                let models = models.clone();
                return Ok(Detected { kind, models });
            }
        }
        // Older servers of TGI list no models. What cannot be reached at all need not be asked more.
        Err(error) if error.kind() != ErrorKind::EngineFailed => return Err(error.clone()),
        Err(_) => {}
    }
    if asked
        .fetch("/v2/status")
        .await
        .is_ok_and(|said| is_mindie(&said))
    {
        let kind = EngineKind::Mindie;
        return listed.map(|models| Detected { kind, models });
    }
    if let Some(info) = asked
        .fetch("/info")
        .await
        .ok()
        .and_then(|said| tgi_info(&said))
    {
        let kind = EngineKind::Tgi;
        let models = info.described(listed.unwrap_or_default());
        return Ok(Detected { kind, models });
    }
    let models = listed?;
    let kind = kind_by_metrics(engine).await;
    Ok(Detected { kind, models })
}

fn kind_by_owner(models: &[ModelCard]) -> Option<EngineKind> {
    let owner = models.first()?.owned_by.to_ascii_lowercase();
    Some(match owner.as_str() {
        "vllm" => EngineKind::Vllm,
        "sglang" => EngineKind::Sglang,
        "tensorrt_llm" => EngineKind::TensorRtLlm,
        "llamacpp" => EngineKind::LlamaCpp,
        "tgi" => EngineKind::Tgi,
        _ if owner.starts_with("mindie") => EngineKind::Mindie,
        _ => return None,
    })
}

fn is_mindie(said: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Status {
        #[serde(rename = "service")]
        _service: IgnoredAny,
        #[serde(rename = "resource")]
        _resource: IgnoredAny,
    }
    serde_json::from_slice::<Status>(said).is_ok()
}

/// TGI's description of itself.
#[derive(Deserialize)]
struct TgiInfo {
    model_id: String,
    max_total_tokens: Option<u64>,
    #[serde(rename = "max_concurrent_requests")]
    _limit: u64,
}

fn tgi_info(said: &[u8]) -> Option<TgiInfo> {
    serde_json::from_slice(said).ok()
}

impl TgiInfo {
    /// The models with how long they may be, or the one that it has where none are listed.
    fn described(self, mut models: Vec<ModelCard>) -> Vec<ModelCard> {
        if models.is_empty() {
            models.push(ModelCard {
                id: self.model_id,
                owned_by: EngineKind::Tgi.name().to_owned(),
                ..ModelCard::default()
            });
        }
        for card in &mut models {
            card.max_model_len = card.max_model_len.or(self.max_total_tokens);
        }
        models
    }
}

/// A kind whose telemetry finds running or waiting requests is the kind.
async fn kind_by_metrics(engine: impl Fn(EngineKind) -> HttpEngine) -> EngineKind {
    for kind in [EngineKind::Tgi, EngineKind::Mindie] {
        let reading = engine(kind).telemetry().await.unwrap_or_default();
        if reading.running.is_some() || reading.waiting.is_some() {
            return kind;
        }
    }
    EngineKind::OpenAi
}
