//! One request through the neutral form.

use std::{future::poll_fn, pin::Pin, sync::Arc};

use bytes::Bytes;
use futures_util::Stream;
use gateway_proto::{
    error::ApiError,
    ir::{
        Answer, Event, Request,
        check::{Limits, check, first_media},
    },
    openai::{Api, RequestView},
};
use gateway_router::{
    ErrorKind, Hints, ReplyBody, Retry, RouteError,
    edge::{AnswerEvents, AnswerReply, Ask},
};
use http::{HeaderMap, HeaderValue, Response, header};
use tracing::{Instrument as _, Span, field};

use super::{Dialect, encoded::Encoded, terms};
use crate::{
    clock,
    config::{
        ServedModel,
        file::{DialectName, MediaName},
    },
    gate::Gate,
    metrics::Rejection,
    serve::{error_reply::Refusal, explain, raw, request_id::RequestId},
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
    if question.api == Api::ChatCompletions && goes_by_text(served, &request) {
        let limits = gate.rules.load().limits.view;
        let view = RequestView::parse(question.api, &question.body, &limits)?;
        return raw::serve(gate, view, question, id).await;
    }
    let explains = question.hints.explain;
    let request = Arc::new(request);
    let AnswerReply {
        endpoint,
        explanation,
        pair,
        hedge,
        head,
        preparation: _,
        echo,
        events,
    } = ask(gate, question, Arc::clone(&request), served, &id.text).await?;
    let prompt_tokens = head.prompt_tokens;
    let mut response = if request.stream {
        let encoder = dialect.encoder(head, &request, echo);
        let body = ReplyBody::written(Encoded::new(events, encoder));
        respond(body, "text/event-stream")
    } else {
        let answer = gathered(Answer::new(head), events).await?;
        let body = Bytes::from(dialect.whole(&answer, &request, echo));
        respond(ReplyBody::from(body), "application/json")
    };
    explain::add_pair(response.headers_mut(), pair.as_ref(), explains);
    explain::add_hedge(response.headers_mut(), hedge.as_deref(), explains);
    if explains {
        explain::add(response.headers_mut(), &endpoint, explanation.as_deref());
        explain::add_mode(response.headers_mut(), prompt_tokens);
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
    let api = question.api;
    let refused = |kind, error| RouteError::new(kind, Retry::Never, terms::told(api, error));
    check(&request, &limits(gate, served))
        .map_err(|error| refused(ErrorKind::BadRequest, error.into()))?;
    let tokens = served.tokens.clone();
    let span = span(&question, &request, request_id);
    let ask = Ask {
        model: tokens.filter(|_| !goes_by_text(served, &request)),
        request,
        api,
        request_id: Arc::clone(request_id),
        headers: question.headers,
        hints: question.hints,
        now: clock::local_time(),
        unix_seconds: clock::unix_seconds().unsigned_abs(),
    };
    let answered = gate.router.answer(ask).instrument(span.clone()).await;
    match &answered {
        Ok(reply) => note(&span, reply),
        Err(error) => {
            span.record("status", error.to_api().status);
        }
    }
    answered.map_err(|error| match error.kind() {
        kind @ (ErrorKind::BadRequest | ErrorKind::Unsupported) => {
            refused(kind, error.to_api().clone())
        }
        _ => error,
    })
}

/// Whether a request to a model that is served by tokens goes to its engines' chat route all the same.
pub(in crate::serve) fn goes_by_text(served: &ServedModel, request: &Request) -> bool {
    served.media == MediaName::PassThrough
        && served.tokens.is_some()
        && first_media(request).is_some()
}

fn limits(gate: &Gate, served: &ServedModel) -> Limits {
    let vocabulary = served
        .tokens
        .as_ref()
        .map(|model| model.tokenizer().vocab_size());
    Limits {
        n: gate.rules.load().limits.view.n,
        vocab: vocabulary.and_then(|count| u32::try_from(count).ok()),
        ..Limits::default()
    }
}

/// For people who look closely.
fn span(question: &Question, request: &Request, id: &str) -> Span {
    tracing::debug_span!(
        "request",
        id,
        key = &*question.owner,
        model = &*request.model,
        dialect = question.api.name(),
        mode = field::Empty,
        prompt_tokens = field::Empty,
        prepare_micros = field::Empty,
        endpoint = field::Empty,
        hedge = field::Empty,
        status = field::Empty,
    )
}

fn note(span: &Span, reply: &AnswerReply) {
    span.record("endpoint", &*reply.endpoint);
    span.record(
        "hedge",
        reply.hedge.as_ref().map(|hedge| hedge.outcome.name()),
    );
    span.record(
        "mode",
        if reply.preparation.is_some() {
            "tokens"
        } else {
            "text"
        },
    );
    if let Some(preparation) = reply.preparation {
        let micros = u64::try_from(preparation.took.as_micros()).unwrap_or(u64::MAX);
        span.record("prompt_tokens", preparation.prompt_tokens);
        span.record("prepare_micros", micros);
    }
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
