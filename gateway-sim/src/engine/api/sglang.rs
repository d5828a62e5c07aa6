//! `SGLang`'s `/generate`: text or tokens in, both out, in every event all so far or, as it is started, only what is new.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::answer::{Dialect, Piece};
use super::fields::Fields;
use super::job::{Ask, Ending, Job, Usage};
use super::logprobs::{Asked, Likely};
use super::plan::{Finish, Plan};
use super::sampling::{self, Delivery, Sampling};
use crate::engine::error::ApiError;
use crate::engine::flavour::ErrorShape;
use crate::text::Voice;

/// `SGLang`'s default length on this route.
const DEFAULT_MAX_TOKENS: usize = 128;

/// The sampling parameters and what vLLM calls them; empty for those that have no counterpart and do nothing here.
const PARAMETERS: [(&str, &str); 25] = [
    ("max_new_tokens", "max_tokens"),
    ("min_new_tokens", "min_tokens"),
    ("no_stop_trim", "include_stop_str_in_output"),
    ("sampling_seed", "seed"),
    ("n", "n"),
    ("temperature", "temperature"),
    ("top_p", "top_p"),
    ("stop", "stop"),
    ("stop_token_ids", "stop_token_ids"),
    ("ignore_eos", "ignore_eos"),
    ("json_schema", "json_schema"),
    ("choice", "choice"),
    ("regex", "regex"),
    ("ebnf", "ebnf"),
    ("structural_tag", "structural_tag"),
    ("top_k", ""),
    ("min_p", ""),
    ("frequency_penalty", ""),
    ("presence_penalty", ""),
    ("repetition_penalty", ""),
    ("skip_special_tokens", ""),
    ("spaces_between_special_tokens", ""),
    ("logit_bias", ""),
    ("stream_interval", ""),
    ("custom_params", ""),
];

struct Generate {
    /// Whether events have only what is new.
    is_incremental: bool,
}

pub(super) fn read(
    fields: Fields<'_>,
    max_n: u32,
    voice: &Voice,
    is_incremental: bool,
) -> Result<Ask, ApiError> {
    let prompt = match (fields.string("text")?, fields.get("input_ids")) {
        (Some(text), None) => voice.encode(text),
        (None, Some(_)) => sampling::token_ids(fields, "input_ids")?.unwrap_or_default(),
        _ => {
            let message = "Either text, input_ids or input_embeds should be provided.";
            return Err(ApiError::bad_request("text", message));
        }
    };
    let parameters = parameters(fields)?;
    let parameters = Fields::of_body(&parameters)?;
    let logprobs = match fields.boolean("return_logprob")? {
        true => Some(Asked::read(fields, "top_logprobs_num")?.unwrap_or_default()),
        false => None,
    };
    Ok(Ask {
        dialect: Box::new(Generate { is_incremental }),
        prompts: vec![prompt],
        sampling: Sampling::read(parameters, Some(DEFAULT_MAX_TOKENS), max_n)?,
        delivery: Delivery {
            streams: fields.boolean("stream")?,
            logprobs,
            ..Delivery::default()
        },
        tool: None,
        parser: None,
        request_id: fields.string("rid")?.map(str::to_owned),
    })
}

/// The sampling parameters under vLLM's names. Unknown ones are refused, as by `SGLang`.
fn parameters(fields: Fields<'_>) -> Result<Value, ApiError> {
    let mut known = Map::new();
    let Some(Value::Object(given)) = fields.get("sampling_params") else {
        return Ok(Value::Object(known));
    };
    for (name, value) in given {
        let Some((_, here)) = PARAMETERS.iter().find(|(theirs, _)| theirs == name) else {
            let message =
                format!("SamplingParams.__init__() got an unexpected keyword argument '{name}'");
            return Err(ApiError::bad_request(name, message));
        };
        if !here.is_empty() {
            known.insert((*here).to_owned(), value.clone());
        }
    }
    Ok(Value::Object(known))
}

/// How far a choice is, for one reply or event.
struct Standing<'a> {
    choice: usize,
    /// What is told of them.
    tokens: Range<usize>,
    finish: Option<&'a Finish>,
    cached_tokens: usize,
}

impl Generate {
    /// What is told of a choice, and the account of everything so far.
    fn tell(job: &Job, standing: &Standing<'_>) -> Value {
        let choice = &job.choices[standing.choice];
        let plan = &choice.plan;
        let finish = standing.finish.map(|finish| reason(finish, plan, standing));
        let mut meta = json!({
            "id": job.id,
            "finish_reason": finish,
            "prompt_tokens": job.prompts[choice.prompt].len(),
            "weight_version": "default",
            "num_retractions": 0,
            "reasoning_tokens": 0,
            "completion_tokens": standing.tokens.end,
            "cached_tokens": standing.cached_tokens,
            "dp_rank": null,
        });
        if let Some(asked) = job.delivery.logprobs {
            let positions = &choice.logprobs[standing.tokens.clone()];
            let told = positions.iter().map(|position| entry(position.token()));
            meta["output_token_logprobs"] = told.collect();
            if asked.top > 0 {
                let tops = positions
                    .iter()
                    .map(|position| position.top(asked).iter().map(entry).collect::<Value>());
                meta["output_top_logprobs"] = tops.collect();
            }
        }
        let mut reply = json!({
            "text": plan.text(standing.tokens.clone()),
            "output_ids": plan.tokens[standing.tokens.clone()],
            "meta_info": meta,
        });
        if job.choices.len() > 1 {
            reply["index"] = standing.choice.into();
        }
        reply
    }
}

fn entry(likely: &Likely) -> Value {
    json!([likely.logprob, likely.id, null])
}

fn reason(finish: &Finish, plan: &Plan, standing: &Standing<'_>) -> Value {
    match finish {
        Finish::End | Finish::ToolCalls => json!({"type": "stop", "matched": plan.tokens.last()}),
        Finish::StopText(text) => json!({"type": "stop", "matched": text}),
        Finish::StopToken(token) => json!({"type": "stop", "matched": token}),
        Finish::Length => json!({"type": "length", "length": standing.tokens.end}),
        Finish::Abort | Finish::Recomputed => {
            json!({"type": "abort", "message": "Aborted", "status_code": null, "err_type": null})
        }
    }
}

impl Dialect for Generate {
    fn id_prefix(&self) -> &'static str {
        ""
    }

    fn opening(&self, _: &Job, _: usize) -> Option<Value> {
        None
    }

    fn piece(&self, job: &Job, piece: &Piece) -> Option<Value> {
        let start = match self.is_incremental {
            true => piece.tokens.start,
            false => 0,
        };
        Some(Self::tell(
            job,
            &Standing {
                choice: piece.choice,
                tokens: start..piece.tokens.end,
                finish: piece.finish.as_ref(),
                cached_tokens: piece.cached_tokens as usize,
            },
        ))
    }

    fn failure(&self, job: &Job, error: &ApiError) -> Value {
        let body = error.body(ErrorShape::Flat);
        let finish = json!({"type": "abort", "message": body["message"], "status_code": body["code"],
            "err_type": body["type"]});
        json!({"text": "", "output_ids": [], "meta_info": {"id": job.id, "finish_reason": finish,
            "prompt_tokens": 0, "completion_tokens": 0, "cached_tokens": 0}})
    }

    /// Never asked for on this route: every event has its account.
    fn usage_chunk(&self, _: &Job, usage: Usage) -> Value {
        usage.to_json(false)
    }

    fn whole(&self, job: &Job, endings: &[Ending], usage: Usage) -> Value {
        let reply = |(choice, ending): (usize, &Ending)| {
            let standing = Standing {
                choice,
                tokens: 0..ending.tokens,
                finish: Some(&ending.finish),
                cached_tokens: usage.cached,
            };
            Self::tell(job, &standing)
        };
        let mut replies: Vec<Value> = endings.iter().enumerate().map(reply).collect();
        match replies.len() {
            1 => replies.remove(0),
            _ => Value::Array(replies),
        }
    }
}
