//! Responses that were being made when their gateway broke down: nobody else would ever tell of their end.

use std::sync::Arc;

use gateway_govern::records::{Change, Head, Status};
use gateway_proto::ir::Fields;
use serde_json::json;

use super::{desk::caller, serve::Asked};
use crate::clock;

/// An answer may be several calls, one behind the other, and wait its turn before; it never takes as long as so many.
const CALLS: u64 = 6;

/// Has the response fail that nobody makes any more; whether that changed anything. A maker that is alive after all finds
/// its response ended, as if it had been called off.
pub(super) async fn note(asked: Asked<'_>, head: &Head) -> bool {
    if !is_lapsed(asked, head) {
        return false;
    }
    let change = Change {
        status: Some(Status::Failed),
        body: failed(&head.body),
        output: Vec::new(),
    };
    let store = &asked.gate.responses.store;
    let changed = store.update(caller(asked.owner), &head.id, change).await;
    if let Err(error) = &changed {
        tracing::warn!(%error, id = head.id, "a response that nobody makes was not ended");
    }
    changed.is_ok()
}

fn is_lapsed(asked: Asked<'_>, head: &Head) -> bool {
    if head.status.is_none_or(Status::ended) {
        return false;
    }
    // A job that is over has told the store, or has failed to.
    if let Some(job) = asked.gate.responses.jobs.find(asked.owner, &head.id) {
        return job.is_over();
    }
    let call = asked.gate.rules.load().call_time;
    let age = clock::unix_seconds().saturating_sub(head.created_at);
    u64::try_from(age).is_ok_and(|age| age > call.as_secs().saturating_mul(CALLS))
}

/// The object of a response, broken.
fn failed(body: &str) -> Option<Arc<str>> {
    let error = json!({
        "code": "server_error",
        "message": "The gateway that made this response is gone.",
    });
    let mut fields: Fields = serde_json::from_str(body).ok()?;
    fields.put("status", "failed").ok()?;
    fields.put("error", &error).ok()?;
    Some(serde_json::to_string(&fields).ok()?.into())
}
