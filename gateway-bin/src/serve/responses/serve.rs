//! Everything but `POST /v1/responses`.

use std::sync::Arc;

use bytes::Bytes;
use gateway_proto::openai::{Api, RequestView};
use gateway_router::ReplyBody;
use http::{Method, Response, StatusCode, request::Parts};
use hyper::body::Incoming;

use super::{Route, compact, conversations, count, retrieve, socket};
use crate::{
    clock,
    gate::{Gate, Rules},
    metrics::Rejection,
    serve::{
        answer::{self, Question},
        body,
        error_reply::{self, Refusal},
        hints,
        request_id::RequestId,
    },
};
use gateway_govern::keys;

/// Serves a route of kept responses and conversations, and counts it.
///
/// # Errors
/// Where the caller or the request is wrong, or what is asked for is not there.
pub(in crate::serve) async fn serve(
    gate: &Arc<Gate>,
    route: Route<'_>,
    parts: Parts,
    body: Incoming,
    id: &RequestId,
) -> Result<Response<ReplyBody>, Refusal> {
    let mut model = None;
    let served = routed(gate, route, parts, body, id, &mut model).await;
    let status = error_reply::status(&served);
    // A WebSocket is counted as such, and what is asked on it message by message.
    if status != StatusCode::SWITCHING_PROTOCOLS.as_u16() {
        gate.metrics
            .answered(Api::Responses, model.as_deref(), status);
    }
    served
}

/// `model` is set as soon as it is known.
async fn routed(
    gate: &Arc<Gate>,
    route: Route<'_>,
    parts: Parts,
    body: Incoming,
    id: &RequestId,
    model: &mut Option<Box<str>>,
) -> Result<Response<ReplyBody>, Refusal> {
    let rules = gate.rules.load_full();
    let key = rules
        .keys
        .authenticate(&parts.headers, clock::unix_seconds());
    let owner = match key {
        Ok(key) => Arc::clone(key.name()),
        Err(denied) => {
            body::linger(body);
            return Err(denied.into());
        }
    };
    if route == Route::Socket {
        return socket::open(gate, parts, &rules);
    }
    let body = body::read(body, &rules.limits).await?;
    if matches!(route, Route::Compact | Route::InputTokens) {
        let question = question(&rules, parts, body, model)?;
        return match route {
            Route::Compact => compact::compact(gate, &rules, question, id).await,
            _ => count::count(gate, &rules, question).await,
        };
    }
    let query = parts.uri.query().unwrap_or_default();
    let asked = Asked {
        gate,
        owner: &owner,
        query,
        body: &body,
    };
    let told = match (route, &parts.method) {
        (Route::Response(id), &Method::GET) => return retrieve::get(asked, id).await,
        (Route::Response(id), _) => retrieve::delete(asked, id).await?,
        (Route::Cancel(id), _) => retrieve::cancel(asked, id).await?,
        (Route::InputItems(id), _) => retrieve::input_items(asked, id).await?,
        (route, method) => conversations::serve(asked, route, method).await?,
    };
    Ok(json(told))
}

/// Who asks for what is kept, and what else was said.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) gate: &'a Arc<Gate>,
    pub(super) owner: &'a Arc<str>,
    pub(super) query: &'a str,
    pub(super) body: &'a Bytes,
}

/// A request for a model, by a key that may use it.
fn question(
    rules: &Rules,
    parts: Parts,
    body: Bytes,
    model: &mut Option<Box<str>>,
) -> Result<Question, Refusal> {
    let key = rules
        .keys
        .authenticate(&parts.headers, clock::unix_seconds())?;
    let view = RequestView::parse(Api::Responses, &body, &rules.limits.view)?;
    *model = Some(view.model.clone());
    key.check_model(&view.model)?;
    let mut headers = parts.headers;
    let hints =
        hints::read(&headers, key).map_err(|error| Refusal::new(error, Rejection::Invalid))?;
    keys::strip(&mut headers);
    Ok(Question {
        api: Api::Responses,
        body,
        headers,
        hints,
        owner: Arc::clone(key.name()),
    })
}

/// A reply of JSON.
pub(super) fn json(body: Vec<u8>) -> Response<ReplyBody> {
    answer::respond(ReplyBody::from(Bytes::from(body)), "application/json")
}
