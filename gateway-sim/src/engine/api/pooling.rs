//! Routes that make numbers of texts: embeddings, ranks and scores.
//!
//! The vector of a text is the sum of one vector for each of its tokens, so that texts that share words are alike.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway_core::hash;
use serde_json::{Value, json};

use super::fields::Fields;
use super::job::check_prompt;
use super::sampling;
use crate::engine::clock::Clock;
use crate::engine::error::ApiError;
use crate::engine::shell::Shell;
use crate::text::Voice;

/// How long vectors are where a request does not say.
const DIMENSIONS: usize = 64;

/// The longest vector.
const MOST_DIMENSIONS: i64 = 8_192;

/// `/v1/embeddings`.
pub(in crate::engine) fn embeddings(
    shell: &Shell,
    body: &Value,
    name: &str,
) -> Result<Value, ApiError> {
    let fields = Fields::of_body(body)?;
    let model = model(shell, fields)?;
    let dimensions = match fields.integer("dimensions")? {
        None => DIMENSIONS,
        Some(asked) => usize::try_from(asked.clamp(1, MOST_DIMENSIONS)).unwrap_or(DIMENSIONS),
    };
    let in_base64 = match fields.string("encoding_format")? {
        None | Some("float") => false,
        Some("base64") => true,
        Some(other) => {
            let message = format!("encoding_format '{other}' is not known");
            return Err(ApiError::bad_request("encoding_format", message));
        }
    };
    let inputs = inputs(fields, &shell.voice)?;
    for input in &inputs {
        let limit = shell.config.engine.max_model_tokens as usize;
        check_prompt(input, limit, shell.voice.vocabulary())?;
    }
    let data = inputs.iter().enumerate().map(|(index, tokens)| {
        let vector = vector(tokens, dimensions);
        let embedding = match in_base64 {
            true => bytes_of(&vector).into(),
            false => json!(vector),
        };
        json!({"index": index, "object": "embedding", "embedding": embedding})
    });
    let data: Vec<Value> = data.collect();
    Ok(json!({
        "id": format!("embd-{name}"),
        "object": "list",
        "created": created(),
        "model": model,
        "data": data,
        "usage": usage(&inputs),
    }))
}

/// `/v1/rerank`.
pub(in crate::engine) fn rerank(
    shell: &Shell,
    body: &Value,
    name: &str,
) -> Result<Value, ApiError> {
    let fields = Fields::of_body(body)?;
    let model = model(shell, fields)?;
    fields.required("query")?;
    fields.required("documents")?;
    let query = shell
        .voice
        .encode(fields.string("query")?.unwrap_or_default());
    let documents = texts(fields, "documents")?;
    let top = fields.integer("top_n")?.unwrap_or(0);
    let top = usize::try_from(top).ok().filter(|top| *top > 0);
    let mut inputs = vec![query];
    let mut ranked = Vec::with_capacity(documents.len());
    for (index, text) in documents.into_iter().enumerate() {
        let tokens = shell.voice.encode(&text);
        ranked.push((likeness(&inputs[0], &tokens), index, text));
        inputs.push(tokens);
    }
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0));
    ranked.truncate(top.unwrap_or(usize::MAX));
    let results = ranked.into_iter().map(|(score, index, text)| {
        json!({"index": index, "document": {"text": text}, "relevance_score": score})
    });
    let results: Vec<Value> = results.collect();
    let id = format!("rerank-{name}");
    Ok(json!({"id": id, "model": model, "usage": usage(&inputs), "results": results}))
}

/// `/v1/score`: one text with each of several, or each with its counterpart.
pub(in crate::engine) fn score(shell: &Shell, body: &Value, name: &str) -> Result<Value, ApiError> {
    let fields = Fields::of_body(body)?;
    let model = model(shell, fields)?;
    fields.required("text_1")?;
    fields.required("text_2")?;
    let encoded = |name| -> Result<Vec<Vec<u32>>, ApiError> {
        let texts = texts(fields, name)?;
        Ok(texts.iter().map(|text| shell.voice.encode(text)).collect())
    };
    let (ones, others) = (encoded("text_1")?, encoded("text_2")?);
    if ones.len() != 1 && ones.len() != others.len() {
        let message = "text_1 must be one text, or as many as text_2";
        return Err(ApiError::bad_request("text_1", message));
    }
    let pairs = ones.iter().cycle().zip(&others).enumerate();
    let data = pairs.map(|(index, (one, other))| json!({"index": index, "object": "score", "score": likeness(one, other)}));
    let data: Vec<Value> = data.collect();
    let inputs = [ones, others].concat();
    Ok(json!({
        "id": format!("score-{name}"),
        "object": "list",
        "created": created(),
        "model": model,
        "data": data,
        "usage": usage(&inputs),
    }))
}

fn model<'a>(shell: &'a Shell, fields: Fields<'a>) -> Result<&'a str, ApiError> {
    let config = &shell.config;
    let name = fields.string("model")?.unwrap_or(&config.models[0]);
    match config.models.iter().any(|model| model == name) {
        true => Ok(&config.models[0]),
        false => Err(ApiError::unknown_model(name, &config.models)),
    }
}

/// One text or several, or token ids of one or several.
fn inputs(fields: Fields<'_>, voice: &Voice) -> Result<Vec<Vec<u32>>, ApiError> {
    let input = fields.required("input")?;
    let is_ids = |list: &Value| list.get(0).is_some_and(Value::is_number);
    if is_ids(input) {
        return Ok(sampling::token_ids(fields, "input")?.into_iter().collect());
    }
    let Some(lists) = input.as_array().filter(|lists| lists.iter().any(is_ids)) else {
        let texts = texts(fields, "input")?;
        return Ok(texts.iter().map(|text| voice.encode(text)).collect());
    };
    let ids = |list: &Value| {
        let ids: Option<Vec<u32>> = serde_json::from_value(list.clone()).ok();
        ids.ok_or_else(|| fields.wrong("list_type", "input", "Input should be token ids", list))
    };
    lists.iter().map(ids).collect()
}

/// A text or several, each possibly in an object with the member `text`.
fn texts(fields: Fields<'_>, name: &str) -> Result<Vec<String>, ApiError> {
    let text = |value: &Value| {
        let text = value.as_str().or_else(|| value.get("text")?.as_str());
        text.map(str::to_owned).ok_or_else(|| {
            fields.wrong("string_type", name, "Input should be a valid string", value)
        })
    };
    match fields.get(name) {
        Some(Value::Array(list)) => list.iter().map(text).collect(),
        Some(one) => Ok(vec![text(one)?]),
        None => Ok(Vec::new()),
    }
}

/// A vector of length 1, or of 0 where there are no tokens.
fn vector(tokens: &[u32], dimensions: usize) -> Vec<f32> {
    let mut sums = vec![0_f32; dimensions];
    for token in tokens {
        for (at, sum) in sums.iter_mut().enumerate() {
            let draw = hash::seed(&[&token.to_le_bytes(), &at.to_le_bytes()]);
            *sum += if draw >> 63 == 0 { 1.0 } else { -1.0 };
        }
    }
    let length = sums.iter().map(|sum| sum * sum).sum::<f32>().sqrt();
    let unit = |sum: f32| if length > 0.0 { sum / length } else { 0.0 };
    sums.into_iter().map(unit).collect()
}

/// From 0 for opposites to 1 for the same.
fn likeness(one: &[u32], other: &[u32]) -> f32 {
    let (one, other) = (vector(one, DIMENSIONS), vector(other, DIMENSIONS));
    let cosine: f32 = one.iter().zip(&other).map(|(a, b)| a * b).sum();
    (cosine.clamp(-1.0, 1.0) + 1.0) / 2.0
}

/// Numbers of 32 bits, the least byte first.
fn bytes_of(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    STANDARD.encode(bytes)
}

fn usage(inputs: &[Vec<u32>]) -> Value {
    let tokens: usize = inputs.iter().map(Vec::len).sum();
    json!({"prompt_tokens": tokens, "total_tokens": tokens, "completion_tokens": 0, "prompt_tokens_details": null})
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole seconds since 1970"
)]
fn created() -> u64 {
    Clock::unix_seconds() as u64
}
