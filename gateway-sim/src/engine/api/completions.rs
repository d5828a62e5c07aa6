//! `/v1/completions`.

use serde_json::{Value, json};

use super::answer::{Dialect, FINGERPRINT, Piece};
use super::fields::Fields;
use super::job::{Ask, Ending, Job, Usage};
use super::logprobs::{self, Asked};
use super::sampling::{Delivery, Sampling};
use crate::engine::error::ApiError;
use crate::engine::flavour::Flavour;
use crate::text::Voice;

/// vLLM's default length on this route.
const DEFAULT_MAX_TOKENS: usize = 16;

struct Completions {
    /// Whether ids come out in place of text, as from TensorRT-LLM that is told not to detokenize.
    has_ids_alone: bool,
}

pub(super) fn read(
    fields: Fields<'_>,
    max_n: u32,
    voice: &Voice,
    flavour: Flavour,
) -> Result<Ask, ApiError> {
    let is_raw = fields.get("detokenize") == Some(&Value::Bool(false));
    let has_ids_alone = flavour == Flavour::Trtllm && is_raw;
    let sampling = Sampling::read(fields, Some(DEFAULT_MAX_TOKENS), max_n)?;
    let mut delivery = Delivery::read(fields)?;
    delivery.returns_token_ids |= has_ids_alone;
    delivery.logprobs = Asked::read(fields, "logprobs")?;
    let prompts = prompts(fields, voice)?;
    Ok(Ask {
        dialect: Box::new(Completions { has_ids_alone }),
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

    fn choice(&self, job: &Job, piece: &Piece) -> Value {
        let choice = &job.choices[piece.choice];
        let returned = |tokens: &[u32]| job.delivery.returns_token_ids.then(|| json!(tokens));
        let is_first = piece.tokens.start == 0;
        let logprobs = job.delivery.logprobs.map(|asked| {
            let offset = choice.plan.text(0..piece.tokens.start).len();
            logprobs::of_completion(&choice.logprobs[piece.tokens.clone()], asked, offset)
        });
        let mut told = json!({
            "index": piece.choice,
            "text": if self.has_ids_alone { "" } else { choice.plan.text(piece.tokens.clone()) },
            "logprobs": logprobs,
            "finish_reason": piece.finish.as_ref().map(|finish| finish.reason()),
            "stop_reason": piece.finish.as_ref().map(|finish| finish.stop_reason()),
            "prompt_token_ids": returned(&job.prompts[choice.prompt]).filter(|_| is_first),
            "token_ids": returned(&choice.plan.tokens[piece.tokens.clone()]),
        });
        if job.flavour == Flavour::Trtllm && !job.handoff.is_null() {
            told["disaggregated_params"] = job.handoff.clone();
        }
        told
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
        let mut chunk = Self::reply(job, &json!([self.choice(job, piece)]));
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
        let choice = |(choice, ending)| self.choice(job, &Piece::whole(choice, ending));
        let choices: Vec<Value> = endings.iter().enumerate().map(choice).collect();
        let mut reply = Self::reply(job, &json!(choices));
        reply["service_tier"] = Value::Null;
        reply["system_fingerprint"] = FINGERPRINT.into();
        reply["usage"] = usage.to_json(true);
        if job.flavour == Flavour::Trtllm {
            reply["prompt_token_ids"] = match job.handoff.is_null() {
                true => Value::Null,
                false => json!(job.prompts[0][..]),
            };
        } else {
            reply["kv_transfer_params"] = job.handoff.clone();
        }
        reply
    }
}
