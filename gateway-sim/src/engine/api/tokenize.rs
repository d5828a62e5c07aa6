//! `/tokenize` and `/detokenize`.

use serde_json::{Value, json};

use super::chat;
use super::fields::Fields;
use super::sampling;
use crate::engine::config::SimConfig;
use crate::engine::error::ApiError;
use crate::text::{decode, encode, render};

/// The tokens of a prompt or a chat.
pub(in crate::engine) fn tokenize(config: &SimConfig, body: &Value) -> Result<Value, ApiError> {
    let fields = Fields::of_body(body)?;
    let tokens = match fields.string("prompt")? {
        Some(prompt) => encode(prompt),
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
            .map(|token| decode(&[*token]))
            .collect::<Vec<_>>()
    });
    let limit = config.engine.max_model_tokens;
    Ok(
        json!({"count": tokens.len(), "max_model_len": limit, "tokens": tokens, "token_strs": strings}),
    )
}

/// The text of tokens.
pub(in crate::engine) fn detokenize(body: &Value) -> Result<Value, ApiError> {
    let fields = Fields::of_body(body)?;
    fields.required("tokens")?;
    let tokens = sampling::token_ids(fields, "tokens")?.unwrap_or_default();
    Ok(json!({"prompt": decode(&tokens)}))
}
