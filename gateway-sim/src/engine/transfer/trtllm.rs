//! TensorRT-LLM's pairs, context first: the prefill leg's answer carries what the decode leg needs in a string that only
//! engines read.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::nixl::{self, Source};
use crate::engine::api::Job;
use crate::engine::error::ApiError;
use crate::engine::shell::Shell;
use crate::engine::ticket::Ticket;

/// The source that a decode leg's parameters name; none where they name none.
pub(super) fn source(params: &Value) -> Option<Source> {
    let state = params.get("encoded_opaque_state")?.as_str()?;
    let state = STANDARD.decode(state).ok()?;
    Source::read(&serde_json::from_slice(&state).ok()?)
}

/// The prefill leg.
pub(super) async fn offer(
    shell: &Arc<Shell>,
    job: &mut Job,
    request_id: Value,
) -> Result<Ticket, ApiError> {
    let ticket = nixl::offer(shell, job).await?;
    if !job.handoff.is_null() {
        let first = job.first_token();
        job.handoff = json!({
            "request_type": "context_only",
            "first_gen_tokens": [first],
            "ctx_request_id": request_id,
            "disagg_request_id": request_id,
            "encoded_opaque_state": STANDARD.encode(job.handoff.to_string()),
            "draft_tokens": null,
        });
    }
    Ok(ticket)
}
