//! `/v1/conversations`.

use std::sync::Arc;

use gateway_govern::records::{Change, Head, Kind, Record};
use gateway_proto::{
    error::ApiError,
    responses::{Conversation, Item, decode_conversation, decode_items, deleted_conversation},
};
use http::Method;

use super::{
    Route,
    desk::caller,
    fault::{invalid, no_conversation, refused, stored},
    history::{read, written},
    retrieve::{list, page_of},
    serve::Asked,
};
use crate::{clock, serve::error_reply::Refusal};

/// Serves a route of conversations.
///
/// # Errors
/// Where the request is wrong, or what is asked for is not there.
pub(super) async fn serve(
    asked: Asked<'_>,
    route: Route<'_>,
    method: &Method,
) -> Result<Vec<u8>, Refusal> {
    match (route, method.as_str()) {
        (Route::Conversations, _) => create(asked).await,
        (Route::Conversation(id), "GET") => Ok(told(&head(asked, id).await?)),
        (Route::Conversation(id), "POST") => update(asked, id).await,
        (Route::Conversation(id), _) => delete(asked, id).await,
        (Route::Items(id), "GET") => {
            head(asked, id).await?;
            list(asked, id).await
        }
        (Route::Items(id), _) => append(asked, id).await,
        (Route::Item(id, item), "GET") => retrieve_item(asked, id, item).await,
        (Route::Item(id, item), _) => delete_item(asked, id, item).await,
        _ => Err(refused(ApiError::internal())),
    }
}

async fn create(asked: Asked<'_>) -> Result<Vec<u8>, Refusal> {
    let body = decode_conversation(asked.body).map_err(invalid)?;
    let seed = asked.gate.ids.fresh();
    let conversation = Conversation {
        id: format!("conv_{seed}"),
        created_at: clock::unix_seconds().unsigned_abs(),
        metadata: body.metadata,
    };
    let items = named(asked, body.items, &seed).await?;
    let told = conversation.to_json();
    let mut record = Record::new(Head::conversation(
        &conversation.id,
        clock::unix_seconds(),
        &text(&conversation),
    ));
    record.input = written(&items);
    let put = asked.gate.responses.store.put(caller(asked.owner), record);
    put.await.map_err(|error| stored(error, no_conversation))?;
    Ok(told)
}

/// Changes the notes; those that are not named go.
async fn update(asked: Asked<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    let body = decode_conversation(asked.body).map_err(invalid)?;
    if !body.items.is_empty() {
        let message = "Items are added by POST to the conversation's 'items'.";
        return Err(refused(
            ApiError::invalid_request(message).with_param("items"),
        ));
    }
    let head = head(asked, id).await?;
    let conversation = Conversation {
        id: head.id,
        created_at: head.created_at.unsigned_abs(),
        metadata: body.metadata,
    };
    let change = Change {
        body: Some(text(&conversation)),
        ..Change::default()
    };
    let changed = asked
        .gate
        .responses
        .store
        .update(caller(asked.owner), id, change);
    changed
        .await
        .map_err(|error| stored(error, no_conversation))?;
    Ok(conversation.to_json())
}

async fn delete(asked: Asked<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    head(asked, id).await?;
    let deleted = asked.gate.responses.store.delete(caller(asked.owner), id);
    deleted
        .await
        .map_err(|error| stored(error, no_conversation))?;
    Ok(deleted_conversation(id))
}

async fn append(asked: Asked<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    head(asked, id).await?;
    let items = decode_items(asked.body).map_err(invalid)?;
    let items = named(asked, items, &asked.gate.ids.fresh()).await?;
    let store = &asked.gate.responses.store;
    let appended = store.append(caller(asked.owner), id, written(&items)).await;
    appended.map_err(|error| stored(error, no_conversation))?;
    Ok(page_of(&items, false))
}

async fn retrieve_item(asked: Asked<'_>, id: &str, item: &str) -> Result<Vec<u8>, Refusal> {
    head(asked, id).await?;
    let found = asked
        .gate
        .responses
        .store
        .item(caller(asked.owner), id, item)
        .await;
    let found = found.map_err(|error| stored(error, no_conversation))?;
    Ok(found.json.as_bytes().to_vec())
}

async fn delete_item(asked: Asked<'_>, id: &str, item: &str) -> Result<Vec<u8>, Refusal> {
    let head = head(asked, id).await?;
    let store = &asked.gate.responses.store;
    let deleted = store.delete_item(caller(asked.owner), id, item).await;
    deleted.map_err(|error| stored(error, no_conversation))?;
    Ok(told(&head))
}

/// The items with ids, and what they refer to in place of references.
async fn named(asked: Asked<'_>, items: Vec<Item>, seed: &str) -> Result<Vec<Item>, Refusal> {
    let wanted: Vec<&str> = items.iter().filter_map(Item::reference).collect();
    let store = &asked.gate.responses.store;
    let found = store.find_items(caller(asked.owner), &wanted).await;
    let found = read(&found.map_err(|error| stored(error, no_conversation))?)?;
    let place = |(number, mut item): (usize, Item)| match item.reference() {
        None => {
            item.name(seed, number);
            Ok(item)
        }
        Some(id) => {
            let known = found.iter().find(|known| known.id() == Some(id));
            known.cloned().ok_or_else(|| no_item(id))
        }
    };
    items.iter().cloned().enumerate().map(place).collect()
}

fn no_item(id: &str) -> Refusal {
    let id: String = id.chars().take(64).collect();
    let message = format!("Item with id '{id}' not found.");
    refused(ApiError::new(404, message).with_code("item_not_found"))
}

/// What is known of the conversation `id`.
async fn head(asked: Asked<'_>, id: &str) -> Result<Head, Refusal> {
    let head = asked
        .gate
        .responses
        .store
        .head(caller(asked.owner), id)
        .await;
    let head = head.map_err(|error| stored(error, no_conversation))?;
    if head.kind == Kind::Conversation {
        Ok(head)
    } else {
        Err(no_conversation(id))
    }
}

fn told(head: &Head) -> Vec<u8> {
    head.body.as_bytes().to_vec()
}

fn text(conversation: &Conversation) -> Arc<str> {
    let json = String::from_utf8(conversation.to_json()).expect("JSON is UTF-8");
    json.into()
}
