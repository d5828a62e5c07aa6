//! `/v1/completions`.

use serde_json::{Value, json};

use super::answer::{Dialect, FINGERPRINT, Piece};
use super::fields::Fields;
use super::job::{Ask, Ending, Job, Usage};
use super::logprobs::{self, Asked};
use super::sampling::{Delivery, Sampling};
use crate::engine::error::ApiError;
use crate::text::Voice;

/// vLLM's default length on this route.
const DEFAULT_MAX_TOKENS: usize = 16;

struct Completions;

pub(super) fn read(fields: Fields<'_>, max_n: u32, voice: &Voice) -> Result<Ask, ApiError> {
    let sampling = Sampling::read(fields, Some(DEFAULT_MAX_TOKENS), max_n)?;
    let mut delivery = Delivery::read(fields)?;
    delivery.logprobs = Asked::read(fields, "logprobs")?;
    let prompts = prompts(fields, voice)?;
    Ok(Ask {
        dialect: Box::new(Completions),
        prompts,
        sampling,
        delivery,
        tool: None,
        parser: None,
        request_id: None,
    })
}

/// A text, a list of texts, token ids, or a list of token ids.
fn prompts(fields: Fields<'_>, voice: &Voice) -> Result<Vec<Vec<u32>>, ApiError> {
    let refusal = |value: &Value| {
        fields.wrong(
            "value_error",
            "prompt",
            "Input should be a valid prompt",
            value,
        )
    };
    let id = |value: &Value| {
        value
            .as_u64()
            .and_then(|id| u32::try_from(id).ok())
            .ok_or_else(|| refusal(value))
    };
    let ids = |list: &[Value]| list.iter().map(id).collect::<Result<Vec<u32>, _>>();
    match fields.get("prompt") {
        None => Ok(vec![Vec::new()]),
        Some(Value::String(text)) => Ok(vec![voice.encode(text)]),
        Some(Value::Array(list)) => match list.first() {
            None => Ok(vec![Vec::new()]),
            Some(Value::Number(_)) => Ok(vec![ids(list)?]),
            Some(_) => list
                .iter()
                .map(|item| match item {
                    Value::String(text) => Ok(voice.encode(text)),
                    Value::Array(list) => ids(list),
                    other => Err(refusal(other)),
                })
                .collect(),
        },
        Some(other) => Err(refusal(other)),
    }
}

impl Completions {
    fn reply(job: &Job, choices: &Value) -> Value {
        json!({
            "id": job.id,
            "object": "text_completion",
            "created": job.created_unix_seconds,
            "model": job.model,
            "choices": choices,
        })
    }

    fn choice(job: &Job, piece: &Piece) -> Value {
        let choice = &job.choices[piece.choice];
        let returned = |tokens: &[u32]| job.delivery.returns_token_ids.then(|| json!(tokens));
        let is_first = piece.tokens.start == 0;
        let logprobs = job.delivery.logprobs.map(|asked| {
            let offset = choice.plan.text(0..piece.tokens.start).len();
            logprobs::of_completion(&choice.logprobs[piece.tokens.clone()], asked, offset)
        });
        json!({
            "index": piece.choice,
            "text": choice.plan.text(piece.tokens.clone()),
            "logprobs": logprobs,
            "finish_reason": piece.finish.as_ref().map(|finish| finish.reason()),
            "stop_reason": piece.finish.as_ref().map(|finish| finish.stop_reason()),
            "prompt_token_ids": returned(&job.prompts[choice.prompt]).filter(|_| is_first),
            "token_ids": returned(&choice.plan.tokens[piece.tokens.clone()]),
        })
    }
}

impl Dialect for Completions {
    fn id_prefix(&self) -> &'static str {
        "cmpl-"
    }

    fn opening(&self, _: &Job, _: usize) -> Option<Value> {
        None
    }

    fn piece(&self, job: &Job, piece: &Piece) -> Option<Value> {
        let mut chunk = Self::reply(job, &json!([Self::choice(job, piece)]));
        if piece.finish.is_some() && !job.delivery.includes_usage {
            chunk["system_fingerprint"] = FINGERPRINT.into();
        }
        Some(chunk)
    }

    fn usage_chunk(&self, job: &Job, usage: Usage) -> Value {
        let mut chunk = Self::reply(job, &json!([]));
        chunk["usage"] = usage.to_json(true);
        chunk["system_fingerprint"] = FINGERPRINT.into();
        chunk
    }

    fn whole(&self, job: &Job, endings: &[Ending], usage: Usage) -> Value {
        let choice = |(choice, ending)| Self::choice(job, &Piece::whole(choice, ending));
        let choices: Vec<Value> = endings.iter().enumerate().map(choice).collect();
        let mut reply = Self::reply(job, &json!(choices));
        reply["service_tier"] = Value::Null;
        reply["system_fingerprint"] = FINGERPRINT.into();
        reply["usage"] = usage.to_json(true);
        reply["kv_transfer_params"] = Value::Null;
        reply
    }
}
