//! LoRA adapters of an engine: what it has, and loading one more.

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt as _, Limited};
use serde::Deserialize;
use serde_json::json;

use super::{EngineClient as _, HttpEngine, status::ERROR_REPLY_BYTES};
use crate::{RouteError, adapters::failure};

/// The names that the engine lists beside its models; `None` of a kind that loads none.
pub(super) async fn list(engine: &HttpEngine) -> Result<Option<Vec<String>>, RouteError> {
    if engine.profile.adapters.is_none() {
        return Ok(None);
    }
    let cards = engine.models().await?.into_iter();
    let adapters = cards.filter(|card| card.parent.is_some());
    Ok(Some(adapters.map(|card| card.id).collect()))
}

/// Has the engine load `name` from `path`. One that has it already is content.
pub(super) async fn load(engine: &HttpEngine, name: &str, path: &str) -> Result<(), RouteError> {
    let Some(route) = engine.profile.adapters else {
        return Err(failure(
            name,
            "engines of this kind load none while they run",
        ));
    };
    let body = Bytes::from(json!({"lora_name": name, "lora_path": path}).to_string());
    let reply = engine
        .post(route, HeaderMap::new(), body, engine.side_timeout)
        .await?;
    let told = Limited::new(reply.body, ERROR_REPLY_BYTES).collect().await;
    let told = told.map(|whole| whole.to_bytes()).unwrap_or_default();
    let outcome = serde_json::from_slice::<Outcome>(&told).unwrap_or_default();
    if reply.status.is_success() && outcome.success != Some(false) {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&told);
    if words.contains("already") && words.contains("loaded") {
        return Ok(());
    }
    let why = if reply.status.as_u16() == 404 {
        "the engine was not started with loading switched on".to_owned()
    } else {
        format!("the engine answered {}", reply.status.as_u16())
    };
    tracing::debug!(adapter = name, answer = %words, "adapter refused");
    Err(failure(name, &why))
}

/// What `SGLang` says, be it under 200 or 400; vLLM answers in words.
#[derive(Default, Deserialize)]
struct Outcome {
    success: Option<bool>,
}
