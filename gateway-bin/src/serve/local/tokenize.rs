//! `POST /tokenize`: the tokens of a text, or of a conversation as the model is shown it.

use std::sync::Arc;

use gateway_proto::{
    ir::{Prompt, Request},
    openai::{PromptShape, RequestView, chat, completions},
    text::model::TextModel,
};
use serde_json::{Value, json};

use super::{bodies, invalid, tokens};
use crate::serve::{
    answer::{Question, told},
    error_reply::Refusal,
};

/// The reply in vLLM's form; several texts give a list of lists, as SGLang does.
///
/// # Errors
/// Where the request is wrong for the model.
pub(super) async fn answer(
    view: &RequestView,
    question: &Question,
    model: &Arc<TextModel>,
) -> Result<Vec<u8>, Refusal> {
    let request = read(view, question)?;
    let is_batch = matches!(request.prompt, Prompt::Texts(_) | Prompt::TokenIdLists(_));
    let wants_strings = request.extra.raw("return_token_strs") == Some("true");
    let lists = tokens(view.api, request, model).await?;
    let count: usize = lists.iter().map(Vec::len).sum();
    let strings = wants_strings.then(|| shaped(is_batch, strings(&lists, model)));
    let reply = json!({
        "count": count,
        "max_model_len": model.context_tokens(),
        "tokens": shaped(is_batch, lists),
        "token_strs": strings,
    });
    Ok(reply.to_string().into_bytes())
}

fn read(view: &RequestView, question: &Question) -> Result<Request, Refusal> {
    let body = bodies::with_model(view, &question.body);
    let request = match view.shape {
        PromptShape::Messages { .. } => chat::decode_request(&body),
        _ => completions::decode_request(&body),
    };
    request.map_err(|error| invalid(told(view.api, error.into())))
}

/// The tokens as the vocabulary writes them.
fn strings(lists: &[Vec<u32>], model: &TextModel) -> Vec<Vec<String>> {
    let tokenizer = model.tokenizer();
    let text = |id: &u32| tokenizer.token_of(*id).unwrap_or_default();
    let texts = |ids: &Vec<u32>| ids.iter().map(text).collect();
    lists.iter().map(texts).collect()
}

/// One list, or all of them where there may be several.
fn shaped<T: Into<Value>>(is_batch: bool, mut lists: Vec<Vec<T>>) -> Value {
    if is_batch {
        return lists
            .into_iter()
            .map(Value::from)
            .collect::<Vec<_>>()
            .into();
    }
    lists.pop().unwrap_or_default().into()
}
