//! `/tokenize` and `/detokenize`.

use serde_json::{Value, json};

use super::chat;
use super::fields::Fields;
use super::sampling;
use crate::engine::error::ApiError;
use crate::engine::flavour::Flavour;
use crate::engine::shell::Shell;
use crate::text::{Voice, render};

/// The tokens of a prompt or a chat.
pub(in crate::engine) fn tokenize(shell: &Shell, body: &Value) -> Result<Value, ApiError> {
    let fields = Fields::of_body(body)?;
    let voice = &shell.voice;
    match shell.config.flavour {
        Flavour::Llamacpp => return llamacpp(fields, voice),
        Flavour::Tgi => return tgi(fields, voice),
        _ => {}
    }
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
    if shell.config.flavour == Flavour::Trtllm {
        return Ok(json!({"count": tokens.len(), "tokens": tokens}));
    }
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
    let text = shell.voice.decode(&tokens);
    Ok(match shell.config.flavour {
        Flavour::Llamacpp => json!({"content": text}),
        Flavour::Sglang => json!({"text": text}),
        _ => json!({"prompt": text}),
    })
}

/// llama.cpp's `/tokenize`.
fn llamacpp(fields: Fields<'_>, voice: &Voice) -> Result<Value, ApiError> {
    fields.required("content")?;
    let tokens = voice.encode(fields.string("content")?.unwrap_or_default());
    if !fields.boolean("with_pieces")? {
        return Ok(json!({"tokens": tokens}));
    }
    let piece = |id: &u32| json!({"id": id, "piece": voice.decode(&[*id])});
    Ok(json!({"tokens": tokens.iter().map(piece).collect::<Vec<_>>()}))
}

/// TGI's `/tokenize`.
fn tgi(fields: Fields<'_>, voice: &Voice) -> Result<Value, ApiError> {
    fields.required("inputs")?;
    let mut at = 0;
    let token = |id: u32| {
        let (text, start) = (voice.decode(&[id]), at);
        at += text.chars().count();
        json!({"id": id, "text": text, "start": start, "stop": at})
    };
    let tokens = voice.encode(fields.string("inputs")?.unwrap_or_default());
    Ok(tokens.into_iter().map(token).collect())
}

/// llama.cpp's `/apply-template`.
pub(in crate::engine) fn template(shell: &Shell, body: &Value) -> Result<Value, ApiError> {
    let fields = Fields::of_body(body)?;
    let voice = &shell.voice;
    let tokens = match voice {
        Voice::Model(model) => chat::rendered(model, fields)?.1,
        Voice::Plain => render(&chat::turns(fields)?, true),
    };
    Ok(json!({"prompt": voice.decode(&tokens)}))
}
