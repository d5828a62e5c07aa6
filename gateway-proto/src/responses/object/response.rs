//! The response object.

use std::sync::Arc;

use super::OutputItem;
use super::usage::push_usage;
use crate::dialect::DialectError;
use crate::error::ApiError;
use crate::ir::{Head, Usage};
use crate::json::{push_opt_str, push_str, push_u64};
use crate::responses::ResponsesRequest;
use crate::responses::items::Item;

/// How far a response has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waits to be begun (background).
    Queued,
    /// Being written.
    InProgress,
    /// Whole.
    Completed,
    /// Cut off.
    Incomplete(Incomplete),
    /// Broken.
    Failed(Failure),
    /// Called off by the caller (background).
    Cancelled,
}

/// Why a response is not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incomplete {
    /// The most tokens, or the context, are used up.
    MaxOutputTokens,
    /// A filter cut it.
    ContentFilter,
    /// The text breaks the schema that it was to follow; the note says where.
    Violation(String),
}

/// Why a response is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A stable word for programs.
    pub code: String,
    /// For people.
    pub message: String,
}

/// A response, as `GET /v1/responses/{id}` tells it and as stream events hold it.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseObject {
    /// Its id, `resp_` in front.
    pub id: String,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds, once it is whole.
    pub completed_at: Option<u64>,
    /// How far it has come.
    pub status: Status,
    /// The model's name as the caller gave it.
    pub model: String,
    /// What the model wrote.
    pub output: Vec<OutputItem>,
    /// What it cost, once known.
    pub usage: Option<Usage>,
    /// What is told back of the request, rendered.
    echo: Arc<str>,
}

impl ResponseObject {
    /// A response of which nothing has come, with the status `queued`.
    #[must_use]
    pub fn new(request: &ResponsesRequest, head: &Head) -> Self {
        Self {
            id: format!("resp_{}", head.id),
            created_at: head.created,
            completed_at: None,
            status: Status::Queued,
            model: head.model.clone(),
            output: Vec::new(),
            usage: None,
            echo: request.echo.clone(),
        }
    }

    /// The object as JSON, in one line.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024 + self.echo.len());
        self.push(&mut out);
        out
    }

    /// What the model wrote, as items that a later request continues.
    ///
    /// # Errors
    /// Never for what this crate wrote; the reader's error otherwise.
    pub fn items(&self) -> Result<Vec<Item>, DialectError> {
        let read = |item: &OutputItem| Item::from_json(&item.to_json());
        self.output.iter().map(read).collect()
    }

    /// Appends the object as JSON, in one line.
    pub(in crate::responses) fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\":");
        push_str(out, &self.id);
        out.extend_from_slice(b",\"object\":\"response\",\"created_at\":");
        push_u64(out, self.created_at);
        out.extend_from_slice(b",\"completed_at\":");
        match self.completed_at {
            Some(seconds) => push_u64(out, seconds),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"status\":");
        push_str(out, self.status.word());
        self.push_reasons(out);
        out.extend_from_slice(b",\"model\":");
        push_str(out, &self.model);
        out.extend_from_slice(b",\"output\":[");
        for (number, item) in self.output.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            item.push(out);
        }
        out.extend_from_slice(b"],\"usage\":");
        match &self.usage {
            Some(usage) => push_usage(out, usage),
            None => out.extend_from_slice(b"null"),
        }
        out.push(b',');
        out.extend_from_slice(self.echo.as_bytes());
        out.push(b'}');
    }

    fn push_reasons(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"error\":");
        match &self.status {
            Status::Failed(failure) => push_failure(out, failure),
            _ => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"incomplete_details\":");
        match &self.status {
            Status::Incomplete(why) => push_incomplete(out, why),
            _ => out.extend_from_slice(b"null"),
        }
    }
}

impl Status {
    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will come.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Queued | Self::InProgress)
    }
}

/// Codes of failed responses that say more than their status; clients look for them by name.
const FAILURE_CODES: [&str; 3] = [
    "context_length_exceeded",
    "rate_limit_exceeded",
    "insufficient_quota",
];

fn push_failure(out: &mut Vec<u8>, failure: &Failure) {
    out.extend_from_slice(b"{\"code\":");
    push_str(out, &failure.code);
    out.extend_from_slice(b",\"message\":");
    push_str(out, &failure.message);
    out.push(b'}');
}

fn push_incomplete(out: &mut Vec<u8>, why: &Incomplete) {
    let (reason, note) = match why {
        Incomplete::MaxOutputTokens => ("max_output_tokens", None),
        Incomplete::ContentFilter => ("content_filter", None),
        Incomplete::Violation(note) => ("schema_violation", Some(note.as_str())),
    };
    out.extend_from_slice(b"{\"reason\":");
    push_str(out, reason);
    if note.is_some() {
        out.extend_from_slice(b",\"message\":");
        push_opt_str(out, note);
    }
    out.push(b'}');
}

/// The failure that a response object tells for an error. This API has a closed list of codes there; what is not on it
/// is told by its status.
pub(in crate::responses) fn failure_of(error: &ApiError) -> Failure {
    let code = match (error.code.as_deref(), error.status) {
        (Some(code), _) if FAILURE_CODES.contains(&code) => code,
        (_, 429) => "rate_limit_exceeded",
        (_, 400..=499) => "invalid_prompt",
        _ => "server_error",
    };
    Failure {
        code: code.to_owned(),
        message: error.message.clone(),
    }
}
