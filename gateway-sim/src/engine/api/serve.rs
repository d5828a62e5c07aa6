//! From a request body to a reply.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::hash;
use http::{HeaderMap, Response};
use serde_json::Value;

use super::answer::{self, Fate};
use super::fields::Fields;
use super::job::Job;
use super::stream::Streamer;
use super::{chat, completions, generate, sglang};
use crate::engine::error::ApiError;
use crate::engine::faults::{FaultControl, FaultKind, FaultSpec};
use crate::engine::server::reply::Body;
use crate::engine::shell::Shell;

/// The routes that generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Kind {
    Chat,
    Completions,
    Generate,
    SglangGenerate,
}

/// Answers a request for generation. `name` is what the request is called where neither body nor headers name it.
pub(in crate::engine) async fn serve(
    shell: &Arc<Shell>,
    kind: Kind,
    headers: &HeaderMap,
    body: &Value,
    name: &str,
) -> Result<Response<Body>, ApiError> {
    let fields = Fields::of_body(body)?;
    let (model, namespace) = resolve_model(shell, fields)?;
    let max_n = shell.config.engine.max_sequences;
    let ask = match kind {
        Kind::Chat => chat::read(fields, max_n, &shell.voice)?,
        Kind::Completions => completions::read(fields, max_n, &shell.voice)?,
        Kind::Generate => generate::read(fields, max_n)?,
        Kind::SglangGenerate => sglang::read(fields, max_n, &shell.voice)?,
    };
    check_vocabulary(shell, &ask.prompts).await;
    let header = headers
        .get("x-request-id")
        .and_then(|value| value.to_str().ok());
    let name = ask.request_id.as_deref().or(header).unwrap_or(name);
    let id = format!("{}{name}", ask.dialect.id_prefix());
    let streams = ask.delivery.streams;
    let (job, dialect) = Job::new(&shell.config, &shell.voice, ask, id, &model, namespace)?;
    let ticket = shell.submit(job.submissions())?;
    let fate = draw_fate(&shell.faults);
    if streams {
        let streamer = Streamer::new(Arc::clone(shell), job, dialect, ticket, fate);
        Ok(streamer.into_response())
    } else {
        answer::reply_whole(job, dialect, ticket, fate).await
    }
}

/// A token that the model does not have kills an engine with that fault, and is refused by others.
async fn check_vocabulary(shell: &Shell, prompts: &[Vec<u32>]) {
    let vocabulary = shell.voice.vocabulary();
    let is_deadly = prompts.iter().flatten().any(|token| *token >= vocabulary);
    if is_deadly && shell.faults.strike(FaultKind::PoisonToken).is_some() {
        shell.inject(FaultSpec::new(FaultKind::Die));
        std::future::pending::<()>().await;
    }
}

/// The faults that strike before a request is read.
pub(in crate::engine) async fn suffer(shell: &Shell, body: &Bytes) -> Result<(), ApiError> {
    let faults = &shell.faults;
    let is_poisoned = |spec: &FaultSpec| {
        let marker = spec.marker.as_deref().unwrap_or("POISON").as_bytes();
        !marker.is_empty() && body.windows(marker.len()).any(|window| window == marker)
    };
    if faults.strike_if(FaultKind::Poison, is_poisoned).is_some() {
        shell.inject(FaultSpec::new(FaultKind::Die));
        std::future::pending::<()>().await;
    }
    if shell.is_frozen() || faults.strike(FaultKind::Hang).is_some() {
        std::future::pending::<()>().await;
    }
    if faults.strike(FaultKind::Busy503).is_some() {
        return Err(ApiError::busy());
    }
    if faults.strike(FaultKind::Error500).is_some() {
        return Err(ApiError::internal(
            "cannot schedule new futures after shutdown",
        ));
    }
    if let Some(spec) = faults.strike(FaultKind::SlowFirstByte) {
        tokio::time::sleep(Duration::from_millis(spec.millis.unwrap_or(1_000))).await;
    }
    Ok(())
}

fn draw_fate(faults: &FaultControl) -> Option<Fate> {
    let kinds = [
        FaultKind::FreezeStreams,
        FaultKind::DropStream,
        FaultKind::ErrorChunk,
        FaultKind::AbortStream,
        FaultKind::MalformedSse,
    ];
    kinds.into_iter().find_map(|kind| {
        let spec = faults.strike(kind)?;
        Some(Fate {
            kind,
            after: spec.after_chunks.unwrap_or(2),
        })
    })
}

/// The model's name as replies carry it, and the part of the cache it may use.
fn resolve_model(shell: &Shell, fields: Fields<'_>) -> Result<(String, u64), ApiError> {
    let config = &shell.config;
    let name = fields.string("model")?.unwrap_or(&config.models[0]);
    let is_adapter = config.adapters.iter().any(|adapter| adapter == name);
    if !is_adapter && !config.models.iter().any(|model| model == name) {
        return Err(ApiError::unknown_model(name, &config.models));
    }
    let salt = fields.string("cache_salt")?.unwrap_or_default();
    let adapter = if is_adapter { name } else { "" };
    let namespace = match (adapter, salt) {
        ("", "") => 0,
        _ => hash::seed(&[adapter.as_bytes(), salt.as_bytes()]),
    };
    let shown = if is_adapter { name } else { &config.models[0] };
    Ok((shown.to_owned(), namespace))
}
