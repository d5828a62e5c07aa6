//! Generation: key, body, facts, routing.

use std::sync::Arc;

use gateway_govern::keys::{self, Key};
use gateway_proto::openai::{Api, RequestView};
use gateway_router::{ReplyBody, RouteError, RouteReply, RouteRequest};
use http::{Response, request::Parts};
use hyper::body::Incoming;
use tracing::{Instrument as _, field};

use super::{
    answer::{self, Question},
    body,
    error_reply::Refusal,
    explain, hints,
    request_id::RequestId,
    responses,
};
use crate::{clock, gate::Gate, metrics::Rejection};

/// Serves a generation and counts it.
pub(super) async fn serve(
    gate: &Arc<Gate>,
    api: Api,
    parts: Parts,
    body: Incoming,
    id: &RequestId,
) -> Result<Response<ReplyBody>, Refusal> {
    let mut model = None;
    let served = routed(gate, api, parts, body, id, &mut model).await;
    let status = served.as_ref().map_or_else(
        |refusal| refusal.api.status,
        |reply| reply.status().as_u16(),
    );
    gate.metrics.answered(api, model.as_deref(), status);
    served
}

/// `model` is set as soon as it is known, so that refusals are counted under it as well.
async fn routed(
    gate: &Arc<Gate>,
    api: Api,
    parts: Parts,
    body: Incoming,
    id: &RequestId,
    model: &mut Option<Box<str>>,
) -> Result<Response<ReplyBody>, Refusal> {
    let rules = gate.rules.load_full();
    let key = match rules
        .keys
        .authenticate(&parts.headers, clock::unix_seconds())
    {
        Ok(key) => key,
        Err(denied) => {
            body::linger(body);
            return Err(denied.into());
        }
    };
    let body = body::read(body, &rules.limits).await?;
    let view = RequestView::parse(api, &body, &rules.limits.view)?;
    *model = Some(view.model.clone());
    key.check_model(&view.model)?;
    let mut headers = parts.headers;
    let hints =
        hints::read(&headers, key).map_err(|error| Refusal::new(error, Rejection::Invalid))?;
    keys::strip(&mut headers);
    let served = rules.served(&view.model);
    if answer::translates(api, &served) {
        let question = Question {
            api,
            body,
            headers,
            hints,
            owner: Arc::clone(key.name()),
        };
        return match api {
            Api::Responses => responses::create(gate, question, &served, id).await,
            _ => answer::serve(gate, question, &served, id).await,
        };
    }
    let explain = hints.explain;
    let request = RouteRequest {
        view,
        body,
        request_id: Arc::clone(&id.text),
        headers,
        hints,
    };
    let RouteReply {
        mut response,
        endpoint,
        explanation,
    } = observed(gate, request, key).await?;
    if explain {
        explain::add(response.headers_mut(), &endpoint, explanation.as_deref());
    }
    Ok(response)
}

/// Routes within a span that people who look closely can have.
async fn observed(gate: &Gate, request: RouteRequest, key: &Key) -> Result<RouteReply, RouteError> {
    let span = tracing::debug_span!(
        "request",
        id = &*request.request_id,
        key = &**key.name(),
        model = &*request.view.model,
        endpoint = field::Empty,
        status = field::Empty,
    );
    let routed = gate.router.route(request).instrument(span.clone()).await;
    match &routed {
        Ok(reply) => {
            span.record("endpoint", &*reply.endpoint);
            span.record("status", reply.response.status().as_u16());
        }
        Err(error) => {
            span.record("status", error.to_api().status);
        }
    }
    routed
}
