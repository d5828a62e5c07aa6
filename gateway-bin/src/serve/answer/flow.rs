//! One request through the neutral form.

use std::{future::poll_fn, pin::Pin, sync::Arc};

use bytes::Bytes;
use futures_util::Stream;
use gateway_proto::{
    error::ApiError,
    ir::{Answer, Event, Request},
    openai::Api,
};
use gateway_router::{
    Hints, ReplyBody, RouteError,
    edge::{AnswerEvents, AnswerReply, Ask},
};
use http::{HeaderMap, HeaderValue, Response, header};

use super::{Dialect, encoded::Encoded};
use crate::{
    clock,
    config::{ServedModel, file::DialectName},
    gate::Gate,
    metrics::Rejection,
    serve::{error_reply::Refusal, explain, request_id::RequestId},
};

/// A request that came in, with what its caller's key allows.
#[derive(Debug)]
pub(in crate::serve) struct Question {
    pub(in crate::serve) api: Api,
    pub(in crate::serve) body: Bytes,
    pub(in crate::serve) headers: HeaderMap,
    pub(in crate::serve) hints: Hints,
    /// The name of the caller's key.
    pub(in crate::serve) owner: Arc<str>,
}

/// Whether requests to `api` go through the neutral form: where the model is served by tokens, and where its engines do
/// not speak the API themselves.
pub(in crate::serve) fn translates(api: Api, served: &ServedModel) -> bool {
    let passes = |name| served.pass_through.contains(&name);
    match api {
        Api::ChatCompletions | Api::Completions => served.tokens.is_some(),
        Api::Messages => !passes(DialectName::Messages),
        Api::Responses => !passes(DialectName::Responses),
        _ => false,
    }
}

/// Serves `question` as `served` says.
///
/// # Errors
/// Where the request is wrong, or no engine served it.
pub(in crate::serve) async fn serve(
    gate: &Gate,
    question: Question,
    served: &ServedModel,
    id: &RequestId,
) -> Result<Response<ReplyBody>, Refusal> {
    let invalid = |error| Refusal::new(error, Rejection::Invalid);
    let (dialect, request) = Dialect::decode(question.api, &question.body).map_err(invalid)?;
    let explains = question.hints.explain;
    let request = Arc::new(request);
    let AnswerReply {
        endpoint,
        explanation,
        head,
        echo,
        events,
    } = ask(gate, question, Arc::clone(&request), served, &id.text).await?;
    let mut response = if request.stream {
        let encoder = dialect.encoder(head, &request, echo);
        let body = ReplyBody::written(Encoded::new(events, encoder));
        respond(body, "text/event-stream")
    } else {
        let answer = gathered(Answer::new(head), events).await?;
        let body = Bytes::from(dialect.whole(&answer, &request, echo));
        respond(ReplyBody::from(body), "application/json")
    };
    if explains {
        explain::add(response.headers_mut(), &endpoint, explanation.as_deref());
    }
    Ok(response)
}

/// Has `request` answered as `served` says, with what the question's caller brought.
///
/// # Errors
/// Where the request is wrong, or no engine served it.
pub(in crate::serve) async fn ask(
    gate: &Gate,
    question: Question,
    request: Arc<Request>,
    served: &ServedModel,
    request_id: &Arc<str>,
) -> Result<AnswerReply, RouteError> {
    let ask = Ask {
        request,
        model: served.tokens.clone(),
        api: question.api,
        request_id: Arc::clone(request_id),
        headers: question.headers,
        hints: question.hints,
        now: clock::local_time(),
        unix_seconds: clock::unix_seconds().unsigned_abs(),
    };
    gate.router.answer(ask).await
}

/// A reply of `body`.
pub(in crate::serve) fn respond(
    body: ReplyBody,
    content_type: &'static str,
) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if content_type == "text/event-stream" {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    response
}

/// All events, added up.
async fn gathered(mut answer: Answer, mut events: AnswerEvents) -> Result<Answer, Refusal> {
    while let Some(event) = next(&mut events).await {
        answer.push(event).map_err(|error| broken(*error))?;
    }
    Ok(answer)
}

/// The next event of an answer.
pub(in crate::serve) async fn next(events: &mut AnswerEvents) -> Option<Event> {
    poll_fn(|cx| Pin::new(&mut *events).poll_next(cx)).await
}

/// The refusal that an answer which broke makes, where nothing of it was shown.
pub(in crate::serve) fn broken(error: ApiError) -> Refusal {
    Refusal {
        retry_after: None,
        api: error,
        at: None,
    }
}
