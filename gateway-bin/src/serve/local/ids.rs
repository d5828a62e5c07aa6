//! Token ids in bodies that are passed on as they came: engines die of ids that they do not have.

use gateway_proto::{
    error::ApiError,
    openai::{Api, PromptShape, RequestView},
    text::model::TextModel,
};

use super::invalid;
use crate::serve::error_reply::Refusal;

/// Refuses a prompt with a token that `model` does not have.
///
/// # Errors
/// With the member and the first such token.
pub(in crate::serve) fn check(
    view: &RequestView,
    body: &[u8],
    model: &TextModel,
) -> Result<(), Refusal> {
    if !matches!(
        view.shape,
        PromptShape::TokenIds { .. } | PromptShape::TokenIdLists { .. }
    ) {
        return Ok(());
    }
    let vocabulary = model.tokenizer().vocab_size();
    let unknown = |id: &u32| *id as usize >= vocabulary;
    match numbers(view.prompt_span.of(body)).find(unknown) {
        None => Ok(()),
        Some(id) => {
            let path = member(view.api);
            let message = format!(
                "Invalid '{path}': the model has no token {id}; its {vocabulary} tokens begin at 0."
            );
            let error = ApiError::invalid_request(message).with_code("token_out_of_vocabulary");
            Err(invalid(error.with_param(path)))
        }
    }
}

fn member(api: Api) -> &'static str {
    match api {
        Api::Generate => "input_ids",
        Api::GenerateTokens => "token_ids",
        Api::Detokenize => "tokens",
        Api::Embeddings => "input",
        _ => "prompt",
    }
}

/// The numbers of JSON arrays that are known to hold 32-bit numbers alone.
pub(super) fn numbers(arrays: &[u8]) -> impl Iterator<Item = u32> {
    let words = arrays.split(|byte| !byte.is_ascii_digit());
    words.filter_map(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
}
