//! `POST /tokenize`: the tokens of a text, or of a conversation as the model is shown it.

use gateway_proto::{
    ir::{Prompt, Request},
    openai::{PromptShape, RequestView, chat, completions},
    text::model::TextModel,
};
use serde::Serialize;

use super::{bodies, invalid, json, tokens};
use crate::serve::{
    answer::{Question, told},
    error_reply::Refusal,
};

#[derive(Serialize)]
struct Reply {
    count: usize,
    max_model_len: u32,
    tokens: Shaped<u32>,
    token_strs: Option<Shaped<String>>,
}

/// One list, or all of them where there may be several.
#[derive(Serialize)]
#[serde(untagged)]
enum Shaped<T> {
    One(Vec<T>),
    All(Vec<Vec<T>>),
}

/// The reply in vLLM's form; several texts give a list of lists, as SGLang does.
///
/// # Errors
/// Where the request is wrong for the model.
pub(super) fn answer(
    view: &RequestView,
    question: &Question,
    model: &TextModel,
) -> Result<Vec<u8>, Refusal> {
    let request = read(view, question)?;
    let is_batch = matches!(request.prompt, Prompt::Texts(_) | Prompt::TokenIdLists(_));
    let wants_strings = request.extra.raw("return_token_strs") == Some("true");
    let lists = tokens(view.api, &request, model)?;
    let count: usize = lists.iter().map(Vec::len).sum();
    let token_strs = wants_strings.then(|| Shaped::new(is_batch, strings(&lists, model)));
    Ok(json(&Reply {
        count,
        max_model_len: model.context_tokens(),
        tokens: Shaped::new(is_batch, lists),
        token_strs,
    }))
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

impl<T> Shaped<T> {
    fn new(is_batch: bool, mut lists: Vec<Vec<T>>) -> Self {
        if is_batch {
            Self::All(lists)
        } else {
            Self::One(lists.pop().unwrap_or_default())
        }
    }
}
