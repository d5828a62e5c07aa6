//! `POST /v1/responses`.

use std::sync::Arc;

use bytes::Bytes;
use gateway_proto::{
    dialect::{DialectError, StreamEncoder as _},
    ir::{Event, Head},
    responses::{Framing, ResponseStream, decode_request},
};
use gateway_router::{
    ReplyBody,
    edge::{AnswerEvents, AnswerReply},
};
use http::Response;

use super::writing::Writing;
use crate::{
    clock,
    config::ServedModel,
    gate::Gate,
    metrics::Rejection,
    serve::{
        answer::{self, Encoded, Question},
        error_reply::Refusal,
        explain,
        request_id::RequestId,
    },
};

/// Makes a response as `question` asks and `served` says.
///
/// # Errors
/// Where the request is wrong, or no engine served it.
pub(in crate::serve) async fn create(
    gate: &Arc<Gate>,
    question: Question,
    served: &ServedModel,
    id: &RequestId,
) -> Result<Response<ReplyBody>, Refusal> {
    let mut decoded = decode_request(&question.body).map_err(invalid)?;
    let seed = gate.ids.fresh();
    decoded.name_items(&seed);
    let head = Head {
        id: seed.to_string(),
        created: clock::unix_seconds().unsigned_abs(),
        model: decoded.request.model.clone(),
        prompt_tokens: None,
    };
    let streams = decoded.request.stream;
    let framing = if streams {
        Framing::Sse
    } else {
        Framing::Silent
    };
    let stream = ResponseStream::new(&decoded, &head, framing);
    let explains = question.hints.explain;
    let request = Arc::new(decoded.request);
    let AnswerReply {
        endpoint,
        explanation,
        events,
        ..
    } = answer::ask(gate, question, request, served, &id.text).await?;
    let writing = Writing::new(stream);
    let mut response = if streams {
        let body = ReplyBody::written(Encoded::new(events, Box::new(writing)));
        answer::respond(body, "text/event-stream")
    } else {
        let body = whole(writing, events).await?;
        answer::respond(ReplyBody::from(body), "application/json")
    };
    if explains {
        explain::add(response.headers_mut(), &endpoint, explanation.as_deref());
    }
    Ok(response)
}

/// The response object once it is whole.
async fn whole(mut writing: Writing, mut events: AnswerEvents) -> Result<Bytes, Refusal> {
    let mut nothing = Vec::new();
    while let Some(event) = answer::next(&mut events).await {
        match event {
            Event::Failed(error) => return Err(answer::broken(*error)),
            event => writing.event(&event, &mut nothing),
        }
    }
    writing.finish(&mut nothing);
    Ok(writing.response().to_json().into())
}

/// The refusal of a request that is not what its API says.
fn invalid(error: DialectError) -> Refusal {
    Refusal::new(error.into(), Rejection::Invalid)
}
