//! Prompts.

use super::{CheckError, Limits, messages};
use crate::ir::Prompt;

pub(super) fn check(prompt: &Prompt, limits: &Limits) -> Result<(), CheckError> {
    match prompt {
        Prompt::Messages(messages) => messages::check(messages),
        Prompt::Text(text) if text.is_empty() => Err(empty("prompt")),
        Prompt::Text(_) => Ok(()),
        Prompt::Texts(texts) if texts.is_empty() => Err(empty("prompt")),
        Prompt::Texts(texts) => match texts.iter().position(String::is_empty) {
            Some(at) => Err(empty(format!("prompt[{at}]"))),
            None => Ok(()),
        },
        Prompt::TokenIds(ids) => token_ids("prompt", ids, limits),
        Prompt::TokenIdLists(lists) if lists.is_empty() => Err(empty("prompt")),
        Prompt::TokenIdLists(lists) => {
            let mut lists = lists.iter().enumerate();
            lists.try_for_each(|(at, ids)| token_ids(&format!("prompt[{at}]"), ids, limits))
        }
    }
}

fn empty(path: impl Into<String>) -> CheckError {
    CheckError::new(path, "it is empty", "Send at least one token of text")
}

fn token_ids(path: &str, ids: &[u32], limits: &Limits) -> Result<(), CheckError> {
    if ids.is_empty() {
        return Err(empty(path));
    }
    known(|at| format!("{path}[{at}]"), ids.iter().copied(), limits)
}

/// Whether the model knows each of `ids`; `path` says where the one of a number stands.
pub(super) fn known(
    path: impl Fn(usize) -> String,
    ids: impl Iterator<Item = u32>,
    limits: &Limits,
) -> Result<(), CheckError> {
    let vocab = limits.vocab.unwrap_or(u32::MAX);
    let unknown = |(_, id): &(usize, u32)| limits.vocab.is_some() && *id >= vocab;
    match ids.enumerate().find(unknown) {
        Some((at, id)) => {
            let what = format!("the model has no token {id}; its {vocab} tokens begin at 0");
            let todo = "Make the token ids with this model's tokenizer";
            Err(CheckError::new(path(at), what, todo).with_code("token_out_of_vocabulary"))
        }
        None => Ok(()),
    }
}
