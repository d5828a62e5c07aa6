//! From a request body to a reply.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_core::hash;
use http::{HeaderMap, Response};
use serde_json::Value;

use super::answer::{self, Dialect, Fate};
use super::fields::Fields;
use super::job::{Ask, Caller, Job};
use super::stream::Streamer;
use super::tgi::Style;
use super::{chat, completions, generate, handed, late, llamacpp, sglang, tgi};
use crate::engine::error::ApiError;
use crate::engine::faults::{FaultControl, FaultKind, FaultSpec};
use crate::engine::flavour::Flavour;
use crate::engine::server::reply::Body;
use crate::engine::shell::Shell;
use crate::engine::transfer::{HandOver, Leg};

/// The routes that generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Kind {
    Chat,
    Completions,
    Generate,
    SglangGenerate,
    Llamacpp,
    Text(Style),
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
    let over = HandOver::read(shell, headers)?;
    let leg = Leg::read(shell, fields)?;
    let is_one_token = leg.as_ref().is_some_and(Leg::is_one_token);
    let settled = settle(shell, kind, headers, fields, name, is_one_token).await;
    if let Some(over) = over {
        return handed::prefill(shell, &over, (kind, body, name), settled?).await;
    }
    let (job, dialect) = match (settled, leg) {
        (Ok((job, dialect)), Some(leg)) => return in_pair(shell, leg, job, dialect).await,
        (Ok(settled), None) => settled,
        (Err(error), leg) => {
            if let Some(leg) = leg {
                leg.give_up(shell);
            }
            return Err(error);
        }
    };
    let ticket = shell.submit(job.submissions(), job.rank)?;
    let fate = draw_fate(&shell.faults);
    if job.delivery.streams {
        let streamer = Streamer::new(Arc::clone(shell), job, dialect, ticket, fate);
        Ok(streamer.into_response())
    } else {
        answer::reply_whole(job, dialect, ticket, fate).await
    }
}

/// Reads a request and settles its answers.
pub(super) async fn settle(
    shell: &Shell,
    kind: Kind,
    headers: &HeaderMap,
    fields: Fields<'_>,
    name: &str,
    is_one_token: bool,
) -> Result<(Job, Box<dyn Dialect>), ApiError> {
    let (model, namespace) = resolve_model(shell, fields)?;
    let rank = rank_of(shell, fields, headers)?;
    let mut ask = read(shell, kind, fields)?;
    check_vocabulary(shell, &ask.prompts).await;
    if is_one_token {
        ask.sampling.max_tokens = Some(1);
    }
    let header = headers
        .get("x-request-id")
        .and_then(|value| value.to_str().ok());
    let name = ask.request_id.as_deref().or(header).unwrap_or(name);
    let caller = Caller {
        id: format!("{}{name}", ask.dialect.id_prefix()),
        model,
        namespace,
        rank,
    };
    Job::new(&shell.config, &shell.voice, ask, caller)
}

fn read(shell: &Shell, kind: Kind, fields: Fields<'_>) -> Result<Ask, ApiError> {
    let max_n = shell.config.engine.max_sequences;
    let voice = &shell.voice;
    match kind {
        Kind::Chat => chat::read(fields, max_n, voice),
        Kind::Completions => completions::read(fields, max_n, voice, shell.config.flavour),
        Kind::Generate => generate::read(fields, max_n),
        Kind::SglangGenerate => {
            sglang::read(fields, max_n, voice, shell.config.incremental_streams)
        }
        Kind::Llamacpp => llamacpp::read(fields, max_n, voice),
        Kind::Text(style) => tgi::read(fields, style, max_n, voice),
    }
}

/// Answers a request that is one leg of a pair.
async fn in_pair(
    shell: &Arc<Shell>,
    leg: Leg,
    mut job: Job,
    dialect: Box<dyn Dialect>,
) -> Result<Response<Body>, ApiError> {
    let fate = draw_fate(&shell.faults);
    if job.delivery.streams {
        return Ok(late::stream(Arc::clone(shell), leg, job, dialect, fate));
    }
    let ticket = leg.arrive(shell, &mut job).await?;
    answer::reply_whole(job, dialect, ticket, fate).await
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

pub(super) fn draw_fate(faults: &FaultControl) -> Option<Fate> {
    let kinds = [
        FaultKind::FreezeStreams,
        FaultKind::DropStream,
        FaultKind::ErrorChunk,
        FaultKind::AbortStream,
        FaultKind::MalformedSse,
        FaultKind::DieMidStream,
        FaultKind::Recomputed,
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
    let given = fields.string("model")?;
    // TGI names an adapter beside the other parameters, and looks at no other name.
    let adapter = fields
        .get("parameters")
        .and_then(|given| given["adapter_id"].as_str());
    let name = adapter.or(given).unwrap_or(&config.models[0]);
    let is_adapter = shell.adapters.has(name);
    let ignores = config.flavour.serves_any_model() && adapter.is_none() && !is_adapter;
    let name = if ignores { &config.models[0] } else { name };
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

/// The data-parallel rank that a request is for: `X-data-parallel-rank`, or `SGLang`'s members.
fn rank_of(
    shell: &Shell,
    fields: Fields<'_>,
    headers: &HeaderMap,
) -> Result<Option<usize>, ApiError> {
    let header = headers.get("x-data-parallel-rank");
    let header = header.and_then(|value| value.to_str().ok()?.parse().ok());
    let asked = match header {
        None if shell.config.flavour == Flavour::Sglang => {
            let routed = fields.integer("routed_dp_rank")?;
            routed.or(fields.integer("data_parallel_rank")?)
        }
        header => header,
    };
    let ranks = shell.ranks.len();
    let Some(asked) = asked else {
        return Ok(None);
    };
    let rank = usize::try_from(asked).ok().filter(|rank| *rank < ranks);
    rank.map(Some).ok_or_else(|| {
        let message = format!("data_parallel_rank {asked} is out of range [0, {ranks}).");
        ApiError::bad_request("data_parallel_rank", message)
    })
}
