//! Requests that engines are given as they came.

use std::sync::Arc;

use gateway_proto::openai::RequestView;
use gateway_router::{Leg, ReplyBody, RouteError, RouteReply, RouteRequest};
use http::Response;
use tracing::{Instrument as _, field};

use super::{answer::Question, error_reply::Refusal, explain, request_id::RequestId};
use crate::gate::Gate;

/// Routes the body as it came; `view` was read from it.
///
/// # Errors
/// Where no engine served it.
pub(super) async fn serve(
    gate: &Gate,
    view: RequestView,
    question: Question,
    id: &RequestId,
) -> Result<Response<ReplyBody>, Refusal> {
    let explains = question.hints.explain;
    let RouteReply {
        mut response,
        endpoint,
        explanation,
        pair,
        hedge,
    } = route(gate, view, question, id).await?;
    explain::add_pair(response.headers_mut(), pair.as_ref(), explains);
    explain::add_hedge(response.headers_mut(), hedge.as_deref(), explains);
    if explains {
        explain::add(response.headers_mut(), &endpoint, explanation.as_deref());
        explain::add_mode(response.headers_mut(), None);
    }
    Ok(response)
}

/// Routes within a span that people who look closely can have.
pub(super) async fn route(
    gate: &Gate,
    view: RequestView,
    question: Question,
    id: &RequestId,
) -> Result<RouteReply, RouteError> {
    let span = tracing::debug_span!(
        "request",
        id = &*id.text,
        key = &*question.owner,
        model = &*view.model,
        dialect = view.api.name(),
        mode = "text",
        endpoint = field::Empty,
        hedge = field::Empty,
        status = field::Empty,
    );
    let request = RouteRequest {
        view,
        body: question.body,
        request_id: Arc::clone(&id.text),
        leg: Leg::default(),
        headers: question.headers,
        hints: question.hints,
    };
    let routed = gate.router.route(request).instrument(span.clone()).await;
    match &routed {
        Ok(reply) => {
            span.record("endpoint", &*reply.endpoint);
            span.record(
                "hedge",
                reply.hedge.as_ref().map(|hedge| hedge.outcome.name()),
            );
            span.record("status", reply.response.status().as_u16());
        }
        Err(error) => {
            span.record("status", error.to_api().status);
        }
    }
    routed
}
