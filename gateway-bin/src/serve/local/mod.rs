//! What is answered here without any engine, where the model is served by tokens: how many tokens a prompt has, which
//! they are, and what text tokens are.

mod bodies;
mod count;
mod detokenize;
mod ids;
mod tokenize;

use std::sync::Arc;

use gateway_proto::{
    error::ApiError,
    ir::Request,
    openai::{Api, RequestView},
    text::model::TextModel,
};
use gateway_router::{ReplyBody, edge::in_turn};
use http::Response;

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
    let body = match (view.api, &served.tokens) {
        (Api::Tokenize, Some(model)) => tokenize::answer(&view, &question, model).await?,
        (Api::Detokenize, Some(model)) => detokenize::answer(&view, &question, model)?,
        (_, Some(model)) => count::here(&question, model).await?,
        (_, None) => count::by_engine(gate, question, id).await?,
    };
    Ok(answer::respond(
        ReplyBody::from(bytes::Bytes::from(body)),
        "application/json",
    ))
}

/// The tokens of a request's prompts; those of long ones are made off the threads that serve.
async fn tokens(
    api: Api,
    request: Request,
    model: &Arc<TextModel>,
) -> Result<Vec<Vec<u32>>, Refusal> {
    let model = Arc::clone(model);
    let bytes = request.prompt_bytes();
    let made = in_turn(bytes, move || model.tokens(&request, clock::local_time())).await?;
    made.map_err(|error| invalid(answer::told(api, error.to_api())))
}

fn invalid(error: ApiError) -> Refusal {
    Refusal::new(error, Rejection::Invalid)
}
