//! `POST /v1/messages/count_tokens`.

use bytes::Bytes;
use gateway_proto::{
    anthropic::{decode_count, encode_count},
    error::ApiError,
    ir::Request,
    openai::{Api, RequestView, ViewLimits, chat},
    text::model::TextModel,
};
use gateway_router::{ErrorKind, Origin, RouteError};
use http_body_util::BodyExt as _;
use serde::Deserialize;

use super::{invalid, tokens};
use crate::{
    gate::Gate,
    serve::{answer::Question, error_reply::Refusal, raw, request_id::RequestId},
};

/// Counts what the model would be shown.
///
/// # Errors
/// Where the request is wrong.
pub(super) fn here(question: &Question, model: &TextModel) -> Result<Vec<u8>, Refusal> {
    let prompts = tokens(question.api, &read(question)?, model)?;
    Ok(encode_count(
        prompts.iter().map(|one| one.len() as u64).sum(),
    ))
}

/// Has an engine count that renders conversations on its `/tokenize`, as vLLM does.
///
/// # Errors
/// Where the request is wrong, and 501 where the engine does not count conversations.
pub(super) async fn by_engine(
    gate: &Gate,
    question: Question,
    id: &RequestId,
) -> Result<Vec<u8>, Refusal> {
    let body = Bytes::from(chat::encode_request(&read(&question)?));
    let view = RequestView::parse(Api::Tokenize, &body, &ViewLimits::default())?;
    let question = Question {
        api: Api::Tokenize,
        body,
        ..question
    };
    let reply = raw::route(gate, view, question, id).await.map_err(untold)?;
    let body = match reply.response.into_body().collect().await {
        Ok(whole) => whole.to_bytes(),
        Err(never) => match never {},
    };
    let told: Told = serde_json::from_slice(&body).map_err(|_| invalid(uncountable()))?;
    Ok(encode_count(told.count))
}

#[derive(Deserialize)]
struct Told {
    count: u64,
}

fn read(question: &Question) -> Result<Request, Refusal> {
    decode_count(&question.body).map_err(|error| invalid(error.into()))
}

/// An engine that refuses the request does not know its form; whatever else went wrong may pass.
fn untold(error: RouteError) -> Refusal {
    let is_refusal = error.kind() == ErrorKind::Rejected && error.origin() == Origin::Client;
    if is_refusal {
        invalid(uncountable())
    } else {
        error.into()
    }
}

fn uncountable() -> ApiError {
    let message = "The engines of this model do not count the tokens of conversations.";
    ApiError::new(501, message)
        .with_code("tokens_unknown")
        .with_param("model")
}
