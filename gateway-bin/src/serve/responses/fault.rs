//! What a caller is told where the store, or a request for what it keeps, fails.

use gateway_govern::records::StoreError;
use gateway_proto::{dialect::DialectError, error::ApiError};

use crate::{metrics::Rejection, serve::error_reply::Refusal};

/// The refusal of a request that is not what its API says.
pub(super) fn invalid(error: DialectError) -> Refusal {
    refused(error.into())
}

/// A refusal before anything was asked of an engine.
pub(super) fn refused(error: ApiError) -> Refusal {
    Refusal::new(error, Rejection::Invalid)
}

/// There is no response of this id that the caller may see.
pub(super) fn no_response(id: &str) -> Refusal {
    missing("Response", id, "response_not_found")
}

/// There is no conversation of this id that the caller may see.
pub(super) fn no_conversation(id: &str) -> Refusal {
    missing("Conversation", id, "conversation_not_found")
}

fn missing(what: &str, id: &str, code: &'static str) -> Refusal {
    let id = shown(id);
    refused(ApiError::new(404, format!("{what} with id '{id}' not found.")).with_code(code))
}

/// The response to be continued is not there.
pub(super) fn no_previous(id: &str) -> Refusal {
    let message = format!("Previous response with id '{}' not found.", shown(id));
    refused(
        ApiError::invalid_request(message)
            .with_code("previous_response_not_found")
            .with_param("previous_response_id"),
    )
}

/// What the caller is told of a failure of the store; `absent` makes the refusal where the record is not there.
pub(super) fn stored(error: StoreError, absent: impl FnOnce(&str) -> Refusal) -> Refusal {
    match error {
        StoreError::NotFound { id } => absent(&id),
        StoreError::ItemNotFound { record, item } => {
            let (record, item) = (shown(&record), shown(&item));
            let message = format!("Item with id '{item}' not found in '{record}'.");
            refused(ApiError::new(404, message).with_code("item_not_found"))
        }
        StoreError::TooLarge { .. } | StoreError::HistoryTooLong { .. } => refused(
            ApiError::invalid_request(format!("This is more than is kept: {error}."))
                .with_code("history_too_long"),
        ),
        StoreError::Unstorable(why) => refused(ApiError::invalid_request(format!(
            "This cannot be kept: {why}."
        ))),
        StoreError::Exists { .. } | StoreError::Ended { .. } => {
            refused(ApiError::new(409, error.to_string()).with_code("conflict"))
        }
        error => {
            tracing::error!(%error, "kept responses cannot be reached");
            let message = "What is kept cannot be reached at the moment. Try again.";
            refused(ApiError::new(503, message).with_code("store_unavailable"))
        }
    }
}

/// At most 64 characters of what a caller wrote.
fn shown(word: &str) -> String {
    word.chars().take(64).collect()
}
