//! What a request continues.

use std::collections::{HashMap, HashSet};

use gateway_govern::records::{History, Kind, Status, StoreError, StoredItem};
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

/// Referenced items that are looked up at a time: each look-up may hold the store's lock.
const LOOK_UP: usize = 1024;

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
    let found = referenced(desk, owner, decoded, &history).await?;
    // A warm-up may bring nothing new; then there is nothing to ask yet.
    if decoded.settings.generate || !decoded.input.is_empty() || !history.is_empty() {
        decoded.resolve(&history, &found).map_err(invalid)?;
    }
    Ok(past)
}

/// The items that the input refers to, without those of `history`, to which a reference adds nothing.
///
/// # Errors
/// Where they are more than a history may be, each counted as often as the input has it.
async fn referenced(
    desk: &Desk,
    owner: &str,
    decoded: &ResponsesRequest,
    history: &[Item],
) -> Result<Vec<Item>, Refusal> {
    let said: HashSet<&str> = history.iter().filter_map(Item::id).collect();
    let (mut wanted, mut uses) = (Vec::new(), HashMap::<&str, u64>::new());
    for id in decoded.references().filter(|id| !said.contains(id)) {
        let uses = uses.entry(id).or_default();
        if *uses == 0 {
            wanted.push(id);
        }
        *uses += 1;
    }
    let (mut found, mut bytes) = (Vec::new(), 0_u64);
    for ids in wanted.chunks(LOOK_UP) {
        let some = desk.store.find_items(caller(owner), ids).await;
        let some = some.map_err(|error| stored(error, no_previous))?;
        let cost = |item: &StoredItem| item.json.len() as u64 * uses.get(&*item.id).unwrap_or(&1);
        bytes += some.iter().map(cost).sum::<u64>();
        if bytes > desk.limits.history_bytes {
            return Err(stored(too_long(desk), no_previous));
        }
        found.append(&mut read(&some)?);
        // The first that is missing is refused by its place, whatever comes behind it.
        if some.len() < ids.len() {
            break;
        }
    }
    Ok(found)
}

fn too_long(desk: &Desk) -> StoreError {
    StoreError::HistoryTooLong {
        limit_records: desk.limits.history_records,
        limit_bytes: desk.limits.history_bytes,
    }
}

async fn past(
    desk: &Desk,
    owner: &str,
    decoded: &ResponsesRequest,
    memory: Option<&Memory>,
) -> Result<Past, Refusal> {
    let settings = &decoded.settings;
    if let Some(id) = &settings.previous_response_id {
        if let Some(past) = memory.and_then(|memory| memory.history(id)) {
            return Ok(past);
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
