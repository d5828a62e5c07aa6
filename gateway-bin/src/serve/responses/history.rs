//! What a request continues.

use gateway_govern::records::{History, Kind, Status, StoredItem};
use gateway_proto::{
    dialect::DialectError,
    error::ApiError,
    responses::{Item, ResponsesRequest},
};

use super::{
    desk::{Desk, caller},
    fault::{invalid, no_conversation, no_previous, refused, stored},
    keep::Past,
    socket::Memory,
};
use crate::serve::error_reply::Refusal;

/// Gives `decoded` what it continues, out of `memory` where the connection has it, else out of the store.
///
/// # Errors
/// Where what it continues is not there or has not ended well, or does not go with the input.
pub(super) async fn resolve(
    desk: &Desk,
    owner: &str,
    decoded: &mut ResponsesRequest,
    memory: Option<&Memory>,
) -> Result<Past, Refusal> {
    if !decoded.needs_history() {
        return Ok(Past::default());
    }
    let past = past(desk, owner, decoded, memory).await?;
    let history = read(&past.items)?;
    let wanted: Vec<&str> = decoded.references().collect();
    let found = if wanted.is_empty() {
        Vec::new()
    } else {
        let found = desk.store.find_items(caller(owner), &wanted).await;
        read(&found.map_err(|error| stored(error, no_previous))?)?
    };
    // A warm-up may bring nothing new; then there is nothing to ask yet.
    if decoded.settings.generate || !decoded.input.is_empty() || !history.is_empty() {
        decoded.resolve(&history, &found).map_err(invalid)?;
    }
    Ok(past)
}

async fn past(
    desk: &Desk,
    owner: &str,
    decoded: &ResponsesRequest,
    memory: Option<&Memory>,
) -> Result<Past, Refusal> {
    let settings = &decoded.settings;
    if let Some(id) = &settings.previous_response_id {
        if let Some(items) = memory.and_then(|memory| memory.history(id)) {
            return Ok(Past {
                items,
                is_kept: false,
            });
        }
        let history = desk.store.history(caller(owner), id).await;
        let history = history.map_err(|error| stored(error, |_| no_previous(id)))?;
        return previous(id, history);
    }
    let Some(id) = &settings.conversation else {
        return Ok(Past::default());
    };
    let history = desk.store.history(caller(owner), id).await;
    let history = history.map_err(|error| stored(error, |_| no_conversation(id)))?;
    if history.kind != Kind::Conversation {
        return Err(no_conversation(id));
    }
    Ok(Past {
        items: history.items,
        is_kept: true,
    })
}

/// The history of a response that can be continued.
fn previous(id: &str, history: History) -> Result<Past, Refusal> {
    match (history.kind, history.status) {
        (Kind::Response, Some(Status::Completed | Status::Incomplete)) => Ok(Past {
            items: history.items,
            is_kept: true,
        }),
        (Kind::Response, Some(status)) => {
            let message = format!("The previous response cannot be continued: it is {status}.");
            Err(refused(
                ApiError::invalid_request(message)
                    .with_code("previous_response_not_completed")
                    .with_param("previous_response_id"),
            ))
        }
        _ => Err(no_previous(id)),
    }
}

/// Items out of a store.
pub(super) fn read(items: &[StoredItem]) -> Result<Vec<Item>, Refusal> {
    let read = |item: &StoredItem| Item::from_json(&item.json);
    let read: Result<Vec<Item>, DialectError> = items.iter().map(read).collect();
    read.map_err(|error| {
        tracing::error!(%error, "a kept item cannot be read");
        refused(ApiError::internal())
    })
}

/// Items for a store. Those without an id are none that could be listed, and are left out.
pub(super) fn written<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<StoredItem> {
    let kept = |item: &'a Item| Some(StoredItem::new(item.id()?, item.json()));
    items.into_iter().filter_map(kept).collect()
}
