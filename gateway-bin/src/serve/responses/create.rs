//! `POST /v1/responses`.

use std::sync::Arc;

use bytes::Bytes;
use gateway_proto::{
    dialect::{DialectError, StreamEncoder as _},
    ir::Event,
    responses::{Framing, decode_request},
};
use gateway_router::{
    ReplyBody,
    edge::{AnswerEvents, AnswerReply},
};
use http::Response;

use super::{
    background,
    fault::invalid,
    making::{self, Ready},
    writing::Writing,
};
use crate::{
    config::ServedModel,
    gate::Gate,
    serve::{
        answer::{self, Encoded, Encoder as _, Question},
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
    let decoded = decode_request(&question.body).map_err(invalid)?;
    if !decoded.settings.generate {
        return Err(no_warm_up());
    }
    let (streams, explains) = (decoded.request.stream, question.hints.explain);
    let is_background = decoded.settings.background;
    let framing = match (is_background, streams) {
        (true, _) => Framing::Lines,
        (false, true) => Framing::Sse,
        (false, false) => Framing::Silent,
    };
    let from = (question, served.clone(), Arc::clone(&id.text));
    let ready = making::ready(gate, decoded, framing, from, None).await?;
    if is_background {
        return background::start(gate, ready, streams).await;
    }
    let Ready {
        stream,
        keep,
        making,
    } = ready;
    let AnswerReply {
        endpoint,
        explanation,
        pair,
        hedge,
        head,
        events,
        ..
    } = making.ask(gate).await?;
    let writing = Writing::new(stream, Some(keep));
    let mut response = if streams {
        let body = ReplyBody::written(Encoded::new(events, Box::new(writing)));
        answer::respond(body, "text/event-stream")
    } else {
        let body = whole(writing, events).await?;
        answer::respond(ReplyBody::from(body), "application/json")
    };
    explain::add_pair(response.headers_mut(), pair.as_ref(), explains);
    explain::add_hedge(response.headers_mut(), hedge.as_deref(), explains);
    if explains {
        explain::add(response.headers_mut(), &endpoint, explanation.as_deref());
        explain::add_mode(response.headers_mut(), head.prompt_tokens);
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
    if let Some(settling) = writing.settle() {
        settling.await;
    }
    Ok(writing.response().to_json().into())
}

fn no_warm_up() -> Refusal {
    let message = "'generate' can be false over WebSocket only: there is no connection to warm up.";
    invalid(DialectError::at("generate", message).with_code("invalid_value"))
}
