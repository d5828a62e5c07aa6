//! `POST /detokenize`: the text of tokens.

use gateway_proto::{openai::RequestView, text::model::TextModel};
use serde::Serialize;

use super::{ids, json};
use crate::serve::{answer::Question, error_reply::Refusal};

#[derive(Serialize)]
struct Reply {
    prompt: String,
}

/// The reply in vLLM's form.
///
/// # Errors
/// Where the model does not have one of the tokens.
pub(super) fn answer(
    view: &RequestView,
    question: &Question,
    model: &TextModel,
) -> Result<Vec<u8>, Refusal> {
    ids::check(view, &question.body, model)?;
    let ids: Vec<u32> = ids::numbers(view.prompt_span.of(&question.body)).collect();
    let prompt = model.text_of(&ids);
    Ok(json(&Reply { prompt }))
}
