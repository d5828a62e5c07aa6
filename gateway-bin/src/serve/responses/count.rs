//! `POST /v1/responses/input_tokens`.

use std::sync::Arc;

use gateway_proto::{
    error::ApiError,
    responses::{decode_request, input_tokens},
};
use gateway_router::{ReplyBody, edge::in_turn};
use http::Response;

use super::{
    fault::{invalid, refused},
    history,
    serve::json,
};
use crate::{
    clock,
    gate::{Gate, Rules},
    serve::{answer::Question, error_reply::Refusal},
};

/// Counts the tokens that a request's prompt has.
///
/// # Errors
/// Where the request is wrong, or only an engine could count.
pub(super) async fn count(
    gate: &Arc<Gate>,
    rules: &Rules,
    question: Question,
) -> Result<Response<ReplyBody>, Refusal> {
    let mut decoded = decode_request(&question.body).map_err(invalid)?;
    let Some(model) = rules.served(&decoded.request.model).tokens else {
        return Err(refused(uncountable()));
    };
    history::resolve(&gate.responses, &question.owner, &mut decoded, None).await?;
    let request = decoded.request;
    let bytes = request.prompt_bytes();
    let counted = in_turn(bytes, move || model.tokens(&request, clock::local_time())).await?;
    let prompts = counted.map_err(|error| refused(error.to_api()))?;
    let tokens = prompts.iter().map(|prompt| prompt.len() as u64).sum();
    Ok(json(input_tokens(tokens)))
}

fn uncountable() -> ApiError {
    let message = "Tokens are counted for models that are served by tokens; this one's are known to its engines alone.";
    ApiError::invalid_request(message)
        .with_code("tokens_unknown")
        .with_param("model")
}
