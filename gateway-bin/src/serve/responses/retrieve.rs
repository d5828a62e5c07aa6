//! Responses that are kept: told again, called off, deleted.

use gateway_govern::records::{Change, Head, Kind, Status, StoreError};
use gateway_proto::{
    error::ApiError,
    ir::Fields,
    responses::{Item, ListQuery, Page, deleted_response},
};
use gateway_router::ReplyBody;
use http::Response;

use super::{
    desk::caller,
    fault::{invalid, no_response, refused, stored},
    follow,
    history::read,
    lapse, query,
    serve::{Asked, json},
};
use crate::serve::error_reply::Refusal;

/// `GET /v1/responses/{id}`.
pub(super) async fn get(asked: Asked<'_>, id: &str) -> Result<Response<ReplyBody>, Refusal> {
    let head = head(asked, id).await?;
    let pairs = query::pairs(asked.query);
    let value = |name: &str| {
        pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| &**value)
    };
    if !matches!(value("stream"), Some("true" | "1")) {
        return Ok(json(head.body.as_bytes().to_vec()));
    }
    let after = value("starting_after").map(str::parse::<u64>).transpose();
    let after = after.map_err(|_| {
        let message = "Invalid value for 'starting_after': it must be the number of an event.";
        refused(ApiError::invalid_request(message).with_param("starting_after"))
    })?;
    let job = asked.gate.responses.jobs.find(asked.owner, id);
    follow::reply(job.ok_or_else(|| refused(follow::gone()))?, after)
}

/// `DELETE /v1/responses/{id}`.
pub(super) async fn delete(asked: Asked<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    head(asked, id).await?;
    let desk = &asked.gate.responses;
    let deleted = desk.store.delete(caller(asked.owner), id).await;
    deleted.map_err(|error| stored(error, no_response))?;
    if let Some(job) = desk.jobs.find(asked.owner, id) {
        job.call_off();
    }
    Ok(deleted_response(id))
}

/// `POST /v1/responses/{id}/cancel`: a response that has ended is told as it is.
pub(super) async fn cancel(asked: Asked<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    let known = head(asked, id).await?;
    if !is_background(&known) {
        let message = "Only a response that was created with 'background' can be cancelled.";
        return Err(refused(
            ApiError::invalid_request(message).with_code("not_background"),
        ));
    }
    if known.status.is_some_and(Status::ended) {
        return Ok(known.body.as_bytes().to_vec());
    }
    let desk = &asked.gate.responses;
    if let Some(job) = desk.jobs.find(asked.owner, id) {
        job.call_off();
        job.over().await;
    }
    let known = stored_head(asked, id).await?;
    if known.status.is_some_and(Status::ended) {
        return Ok(known.body.as_bytes().to_vec());
    }
    // Another process makes it, which hears of this at its end; or nobody does, and its end was not noted.
    let change = Change {
        status: Some(Status::Cancelled),
        body: cancelled(&known.body).map(Into::into),
        output: Vec::new(),
    };
    match desk.store.update(caller(asked.owner), id, change).await {
        Ok(()) | Err(StoreError::Ended { .. }) => {}
        Err(error) => return Err(stored(error, no_response)),
    }
    Ok(stored_head(asked, id).await?.body.as_bytes().to_vec())
}

/// `GET /v1/responses/{id}/input_items`.
pub(super) async fn input_items(asked: Asked<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    head(asked, id).await?;
    list(asked, id).await
}

/// The part of a record's items that the query asks for.
pub(super) async fn list(asked: Asked<'_>, id: &str) -> Result<Vec<u8>, Refusal> {
    let pairs = query::pairs(asked.query);
    let pairs = pairs.iter().map(|(key, value)| (&**key, &**value));
    let wanted = ListQuery::from_pairs(pairs).map_err(invalid)?;
    let store = &asked.gate.responses.store;
    let page = store.list(caller(asked.owner), id, &wanted).await;
    let page = page.map_err(|error| stored(error, no_response))?;
    Ok(page_of(&read(&page.items)?, page.more))
}

/// A list of items as JSON.
pub(super) fn page_of(items: &[Item], has_more: bool) -> Vec<u8> {
    let items = items.iter().collect();
    Page { items, has_more }.to_json()
}

/// What is known of the response `id`, which has failed where its maker is gone.
async fn head(asked: Asked<'_>, id: &str) -> Result<Head, Refusal> {
    let head = stored_head(asked, id).await?;
    if lapse::note(asked, &head).await {
        return stored_head(asked, id).await;
    }
    Ok(head)
}

/// What the store has of the response `id`.
async fn stored_head(asked: Asked<'_>, id: &str) -> Result<Head, Refusal> {
    let head = asked
        .gate
        .responses
        .store
        .head(caller(asked.owner), id)
        .await;
    let head = head.map_err(|error| stored(error, no_response))?;
    if head.kind == Kind::Response {
        Ok(head)
    } else {
        Err(no_response(id))
    }
}

fn is_background(head: &Head) -> bool {
    let fields: Option<Fields> = serde_json::from_str(&head.body).ok();
    fields.is_some_and(|fields| fields.raw("background") == Some("true"))
}

/// The object of a response, called off.
fn cancelled(body: &str) -> Option<String> {
    let mut fields: Fields = serde_json::from_str(body).ok()?;
    fields.put("status", "cancelled").ok()?;
    serde_json::to_string(&fields).ok()
}
