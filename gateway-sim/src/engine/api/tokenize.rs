//! `/tokenize` and `/detokenize`.

use serde_json::{Value, json};

use super::chat;
use super::fields::Fields;
use super::sampling;
use crate::engine::error::ApiError;
use crate::engine::shell::Shell;
use crate::text::{Voice, render};

/// The tokens of a prompt or a chat.
pub(in crate::engine) fn tokenize(shell: &Shell, body: &Value) -> Result<Value, ApiError> {
    let fields = Fields::of_body(body)?;
    let voice = &shell.voice;
    let tokens = match fields.string("prompt")? {
        Some(prompt) => voice.encode(prompt),
        None if let Voice::Model(model) = voice => chat::rendered(model, fields)?.1,
        None => {
            let invites_answer = fields
                .get("add_generation_prompt")
                .is_none_or(|flag| *flag != json!(false));
            render(&chat::turns(fields)?, invites_answer)
        }
    };
    let strings = fields.boolean("return_token_strs")?.then(|| {
        tokens
            .iter()
            .map(|token| voice.decode(&[*token]))
            .collect::<Vec<_>>()
    });
    let limit = shell.config.engine.max_model_tokens;
    Ok(
        json!({"count": tokens.len(), "max_model_len": limit, "tokens": tokens, "token_strs": strings}),
    )
}

/// The text of tokens.
pub(in crate::engine) fn detokenize(shell: &Shell, body: &Value) -> Result<Value, ApiError> {
    let fields = Fields::of_body(body)?;
    fields.required("tokens")?;
    let tokens = sampling::token_ids(fields, "tokens")?.unwrap_or_default();
    Ok(json!({"prompt": shell.voice.decode(&tokens)}))
}
