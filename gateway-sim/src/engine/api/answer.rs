//! What a dialect adds to the common loops, and the reply in one piece.

use std::ops::Range;

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use super::job::{Ending, Job, Usage};
use super::plan::Finish;
use crate::engine::error::ApiError;
use crate::engine::faults::FaultKind;
use crate::engine::flavour::ErrorShape;
use crate::engine::server::reply::{self, Body};
use crate::engine::ticket::Ticket;

/// What vLLM writes into `system_fingerprint`.
pub(super) const FINGERPRINT: &str = "vllm-0.32.0-sim";

/// Tokens of one choice that go into one chunk.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) choice: usize,
    pub(super) tokens: Range<usize>,
    /// Why the choice ends with this piece, where it does.
    pub(super) finish: Option<Finish>,
    /// Prompt tokens that the cache had.
    pub(super) cached_tokens: u32,
}

impl Piece {
    /// All of a choice in one piece.
    pub(super) fn whole(choice: usize, ending: &Ending) -> Self {
        Self {
            choice,
            tokens: 0..ending.tokens,
            finish: Some(ending.finish.clone()),
            cached_tokens: 0,
        }
    }
}

/// The shapes of one route's replies.
pub(super) trait Dialect: Send + Sync {
    /// What comes before the request's name in its id.
    fn id_prefix(&self) -> &'static str;

    /// A chunk that comes before a choice's first token.
    fn opening(&self, job: &Job, choice: usize) -> Option<Value>;

    /// A chunk with tokens; none where they add nothing that the route tells.
    fn piece(&self, job: &Job, piece: &Piece) -> Option<Value>;

    /// The chunk that has the usage and no choices.
    fn usage_chunk(&self, job: &Job, usage: Usage) -> Value;

    /// One event on the wire.
    fn frame(&self, data: &Value) -> Bytes {
        Bytes::from(format!("data: {data}\n\n"))
    }

    /// What a stream ends with, empty for nothing.
    fn closing(&self) -> &'static [u8] {
        b"data: [DONE]\n\n"
    }

    /// The event that tells of a failure under way.
    fn failure(&self, job: &Job, error: &ApiError) -> Value {
        // Within a stream, flat errors are nested.
        error.body(match job.flavour.errors() {
            ErrorShape::Flat => ErrorShape::Nested,
            shape => shape,
        })
    }

    /// The reply in one piece.
    fn whole(&self, job: &Job, endings: &[Ending], usage: Usage) -> Value;
}

/// What goes wrong with this reply, and after how many chunks or tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    pub(super) kind: FaultKind,
    pub(super) after: u32,
}

/// How an answer ends that a fault ends.
pub(super) const fn early(kind: FaultKind) -> Finish {
    match kind {
        FaultKind::Recomputed => Finish::Recomputed,
        _ => Finish::Abort,
    }
}

/// The message of a dead engine core.
pub(super) const CORE_FAILURE: &str =
    "EngineCore encountered an issue. See stack trace (above) for the root cause.";

/// Waits for all choices and answers in one piece.
pub(super) async fn reply_whole(
    job: Job,
    dialect: Box<dyn Dialect>,
    mut ticket: Ticket,
    fate: Option<Fate>,
) -> Result<Response<Body>, ApiError> {
    let kind = fate.map(|fate| fate.kind);
    match kind {
        Some(FaultKind::DieMidStream) => {
            ticket.kill();
            std::future::pending().await
        }
        Some(FaultKind::FreezeStreams) => std::future::pending().await,
        Some(FaultKind::ErrorChunk) => return Err(ApiError::internal(CORE_FAILURE)),
        _ => {}
    }
    let most = fate
        .filter(|fate| matches!(fate.kind, FaultKind::AbortStream | FaultKind::Recomputed))
        .map(|fate| (fate.after.max(1) as usize, early(fate.kind)));
    let endings = endings(&job, &mut ticket, most).await;
    let usage = job.usage(
        &ticket.progress(),
        endings.iter().map(|ending| ending.tokens),
    );
    let body = Bytes::from(dialect.whole(&job, &endings, usage).to_string());
    let half = body.slice(..body.len() / 2);
    Ok(match kind {
        Some(FaultKind::DropStream) => reply::cut_off(half, body.len()),
        Some(FaultKind::MalformedSse) => reply::json_bytes(half),
        _ => reply::json_bytes(body),
    })
}

/// Waits until every choice has ended, or has as many tokens as `most` says, where it is broken off.
async fn endings(job: &Job, ticket: &mut Ticket, most: Option<(usize, Finish)>) -> Vec<Ending> {
    let mut endings = Vec::with_capacity(job.choices.len());
    for (place, choice) in job.choices.iter().enumerate() {
        let cut = most.as_ref().filter(|(most, _)| *most < choice.plan.len());
        let (tokens, finish) = match cut {
            Some((tokens, finish)) => (*tokens, finish.clone()),
            None => (choice.plan.len(), choice.plan.finish.clone()),
        };
        ticket.reached(place, tokens).await;
        endings.push(Ending { tokens, finish });
    }
    endings
}
