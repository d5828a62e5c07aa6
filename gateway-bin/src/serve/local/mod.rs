//! What is answered here without any engine, where the model is served by tokens: how many tokens a prompt has, which
//! they are, and what text tokens are.

mod bodies;
mod count;
mod detokenize;
mod ids;
mod tokenize;

use gateway_proto::{
    error::ApiError,
    ir::Request,
    openai::{Api, RequestView},
    text::model::TextModel,
};
use gateway_router::{ReplyBody, edge::in_turn};
use http::Response;
use serde::Serialize;

use super::{
    answer::{self, Question},
    error_reply::Refusal,
    request_id::RequestId,
};
use crate::{clock, config::ServedModel, gate::Gate, metrics::Rejection};

pub(super) use ids::check as check_ids;

/// Whether requests to `api` are answered here.
pub(super) fn answers(api: Api, served: &ServedModel) -> bool {
    match api {
        Api::Tokenize | Api::Detokenize => served.tokens.is_some(),
        Api::CountTokens => answer::translates(Api::Messages, served),
        _ => false,
    }
}

/// Answers `question`, from whose body `view` was read.
///
/// # Errors
/// Where the request is wrong, or only an engine could have answered and did not.
pub(super) async fn serve(
    gate: &Gate,
    view: RequestView,
    question: Question,
    served: &ServedModel,
    id: &RequestId,
) -> Result<Response<ReplyBody>, Refusal> {
    let body = match served.tokens.clone() {
        Some(model) => {
            let bytes = question.body.len();
            in_turn(bytes, move || here(&view, &question, &model)).await??
        }
        None => count::by_engine(gate, question, id).await?,
    };
    Ok(answer::respond(
        ReplyBody::from(bytes::Bytes::from(body)),
        "application/json",
    ))
}

/// The whole answer, from a body's bytes to those of the reply.
fn here(view: &RequestView, question: &Question, model: &TextModel) -> Result<Vec<u8>, Refusal> {
    match view.api {
        Api::Tokenize => tokenize::answer(view, question, model),
        Api::Detokenize => detokenize::answer(view, question, model),
        _ => count::here(question, model),
    }
}

/// The tokens of a request's prompts.
fn tokens(api: Api, request: &Request, model: &TextModel) -> Result<Vec<Vec<u32>>, Refusal> {
    let made = model.tokens(request, clock::local_time());
    made.map_err(|error| invalid(answer::told(api, error.to_api())))
}

/// A reply of JSON.
fn json(reply: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(reply).expect("numbers and texts are JSON")
}

fn invalid(error: ApiError) -> Refusal {
    Refusal::new(error, Rejection::Invalid)
}
