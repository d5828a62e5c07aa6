//! llama.cpp's `/completion`: text or tokens in, both out.

use serde_json::{Value, json};

use super::answer::{Dialect, Piece};
use super::fields::Fields;
use super::job::{Ask, Ending, Job, Usage};
use super::logprobs::{Asked, Position};
use super::parameters::{self, Names};
use super::plan::{Finish, Plan};
use super::sampling::{Delivery, Sampling};
use crate::engine::error::ApiError;
use crate::text::Voice;

const PARAMETERS: Names = &[
    ("n_predict", "max_tokens"),
    ("temperature", "temperature"),
    ("top_p", "top_p"),
    ("seed", "seed"),
    ("stop", "stop"),
    ("ignore_eos", "ignore_eos"),
    ("json_schema", "json_schema"),
];

struct Completion {
    streams: bool,
    returns_tokens: bool,
}

pub(super) fn read(fields: Fields<'_>, max_n: u32, voice: &Voice) -> Result<Ask, ApiError> {
    let prompt = prompt(fields, voice)?;
    let body = fields.to_value();
    let mut known = parameters::renamed(Some(&body), PARAMETERS);
    if known.get("max_tokens").and_then(Value::as_i64) == Some(-1) {
        known.remove("max_tokens");
    }
    if known.get("json_schema").is_some_and(Value::is_object) {
        let schema = known["json_schema"].to_string();
        known.insert("json_schema".to_owned(), schema.into());
    }
    let known = Value::Object(known);
    let streams = fields.boolean("stream")?;
    let logprobs = Asked::read(fields, "n_probs")?;
    Ok(Ask {
        dialect: Box::new(Completion {
            streams,
            returns_tokens: fields.boolean("return_tokens")?,
        }),
        prompts: vec![prompt],
        sampling: Sampling::read(Fields::of_body(&known)?, None, max_n)?,
        delivery: Delivery {
            streams,
            // The last event has no token of its own.
            includes_usage: true,
            logprobs: logprobs.filter(|asked| asked.top > 0),
            ..Delivery::default()
        },
        tool: None,
        parser: None,
        request_id: None,
    })
}

/// A text, token ids, or a list of both.
fn prompt(fields: Fields<'_>, voice: &Voice) -> Result<Vec<u32>, ApiError> {
    let wrong = |value: &Value| fields.wrong("value_error", "prompt", "expected a prompt", value);
    let part = |value: &Value| match value {
        Value::String(text) => Ok(voice.encode(text)),
        other => {
            let id = other.as_u64().and_then(|id| u32::try_from(id).ok());
            id.map(|id| vec![id]).ok_or_else(|| wrong(other))
        }
    };
    match fields.required("prompt")? {
        Value::Array(parts) => {
            let parts: Vec<Vec<u32>> = parts.iter().map(part).collect::<Result<_, _>>()?;
            Ok(parts.concat())
        }
        other => part(other),
    }
}

fn stop_type(finish: &Finish) -> &'static str {
    match finish {
        Finish::End | Finish::ToolCalls | Finish::StopToken(_) => "eos",
        Finish::StopText(_) => "word",
        Finish::Length => "limit",
        Finish::Abort | Finish::Recomputed => "none",
    }
}

/// Tokens that are told: the one that ends an answer is not.
fn told(plan: &Plan, tokens: usize, finish: &Finish) -> usize {
    match finish {
        Finish::End if tokens == plan.len() => tokens - 1,
        _ => tokens,
    }
}

fn probabilities(positions: &[Position], asked: Asked) -> Value {
    let entry =
        |likely: &super::logprobs::Likely| json!({"id": likely.id, "logprob": likely.logprob});
    let position = |position: &Position| {
        let mut told = entry(position.token());
        told["top_logprobs"] = position.top(asked).iter().map(entry).collect();
        told
    };
    positions.iter().map(position).collect()
}

impl Completion {
    /// The last event, or the reply in one piece.
    fn end(&self, job: &Job, ending: &Ending, usage: Usage) -> Value {
        let choice = &job.choices[0];
        let tokens = told(&choice.plan, ending.tokens, &ending.finish);
        let is_whole = !self.streams;
        let mut reply = json!({
            "index": 0,
            "content": if is_whole { choice.plan.text(0..ending.tokens) } else { "" },
            "tokens": if is_whole && self.returns_tokens { &choice.plan.tokens[..tokens] } else { &[] },
            "id_slot": 0,
            "stop": true,
            "model": job.model,
            "tokens_predicted": tokens,
            "tokens_evaluated": usage.prompt,
            "has_new_line": false,
            "truncated": false,
            "stop_type": stop_type(&ending.finish),
            "stopping_word": match &ending.finish {
                Finish::StopText(word) => word.as_str(),
                _ => "",
            },
            "tokens_cached": usage.prompt + tokens,
            "timings": {"cache_n": usage.cached, "prompt_n": usage.prompt - usage.cached, "predicted_n": tokens},
        });
        if let Some(asked) = job.delivery.logprobs.filter(|_| is_whole) {
            reply["completion_probabilities"] = probabilities(&choice.logprobs[..tokens], asked);
        }
        reply
    }
}

impl Dialect for Completion {
    fn id_prefix(&self) -> &'static str {
        ""
    }

    fn opening(&self, _: &Job, _: usize) -> Option<Value> {
        None
    }

    fn piece(&self, job: &Job, piece: &Piece) -> Option<Value> {
        let choice = &job.choices[0];
        let prompt = job.prompts[0].len();
        if let Some(finish @ (Finish::Abort | Finish::Recomputed)) = &piece.finish {
            let ending = Ending {
                tokens: piece.tokens.end,
                finish: finish.clone(),
            };
            let usage = Usage {
                prompt,
                ..Usage::default()
            };
            return Some(self.end(job, &ending, usage));
        }
        let tokens = told(&choice.plan, piece.tokens.end, &choice.plan.finish);
        let range = piece.tokens.start..tokens;
        if range.is_empty() {
            return None;
        }
        let mut event = json!({
            "index": 0,
            "content": choice.plan.text(range.clone()),
            "tokens": choice.plan.tokens[range.clone()],
            "stop": false,
            "id_slot": -1,
            "tokens_predicted": tokens,
            "tokens_evaluated": prompt,
        });
        if let Some(asked) = job.delivery.logprobs {
            event["completion_probabilities"] = probabilities(&choice.logprobs[range], asked);
        }
        Some(event)
    }

    fn usage_chunk(&self, job: &Job, usage: Usage) -> Value {
        let plan = &job.choices[0].plan;
        let ending = Ending {
            tokens: plan.len(),
            finish: plan.finish.clone(),
        };
        self.end(job, &ending, usage)
    }

    fn closing(&self) -> &'static [u8] {
        b""
    }

    fn whole(&self, job: &Job, endings: &[Ending], usage: Usage) -> Value {
        self.end(job, &endings[0], usage)
    }
}
