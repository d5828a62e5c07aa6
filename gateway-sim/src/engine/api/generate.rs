//! `/inference/v1/generate`: tokens in, tokens out.

use serde_json::{Value, json};

use super::answer::{Dialect, Piece};
use super::fields::Fields;
use super::job::{Ask, Ending, Job, Usage};
use super::logprobs::{self, Asked};
use super::sampling::{self, Delivery, Sampling};
use crate::engine::error::ApiError;

struct Generate;

pub(super) fn read(fields: Fields<'_>, max_n: u32) -> Result<Ask, ApiError> {
    fields.required("token_ids")?;
    fields.required("sampling_params")?;
    let prompt = sampling::token_ids(fields, "token_ids")?.unwrap_or_default();
    let parameters = fields.nested("sampling_params")?.unwrap_or(fields);
    let sampling = Sampling::read(parameters, None, max_n)?;
    let mut delivery = Delivery::read(fields)?;
    delivery.logprobs = Asked::read(parameters, "logprobs")?;
    Ok(Ask {
        dialect: Box::new(Generate),
        prompts: vec![prompt],
        sampling,
        delivery,
        tool: None,
        parser: None,
        request_id: fields.string("request_id")?.map(str::to_owned),
    })
}

impl Generate {
    fn choice(job: &Job, piece: &Piece) -> Value {
        let choice = &job.choices[piece.choice];
        let logprobs = job
            .delivery
            .logprobs
            .map(|asked| logprobs::of_tokens(&choice.logprobs[piece.tokens.clone()], asked));
        json!({
            "index": piece.choice,
            "finish_reason": piece.finish.as_ref().map(|finish| finish.reason()),
            "stop_reason": piece.finish.as_ref().map(|finish| finish.stop_reason()),
            "token_ids": choice.plan.tokens[piece.tokens.clone()],
            "routed_experts": null,
            "logprobs": logprobs,
        })
    }
}

impl Dialect for Generate {
    fn id_prefix(&self) -> &'static str {
        "generate-tokens-"
    }

    fn opening(&self, _: &Job, _: usize) -> Option<Value> {
        None
    }

    fn piece(&self, job: &Job, piece: &Piece) -> Option<Value> {
        let choices = [Self::choice(job, piece)];
        let mut chunk = json!({"request_id": job.id, "usage": null, "output_mode": "tokens", "choices": choices});
        if job.delivery.returns_token_ids && piece.tokens.start == 0 {
            chunk["prompt_token_ids"] = json!(job.prompts[0][..]);
        }
        Some(chunk)
    }

    fn usage_chunk(&self, job: &Job, usage: Usage) -> Value {
        json!({"request_id": job.id, "usage": usage.to_json(true), "output_mode": "tokens", "choices": []})
    }

    fn whole(&self, job: &Job, endings: &[Ending], usage: Usage) -> Value {
        let choice = |(choice, ending)| Self::choice(job, &Piece::whole(choice, ending));
        let choices: Vec<Value> = endings.iter().enumerate().map(choice).collect();
        json!({
            "request_id": job.id,
            "model": job.model,
            "created": job.created_unix_seconds,
            "usage": usage.to_json(true),
            "prompt_logprobs": null,
            "prompt_token_ids": job.delivery.returns_token_ids.then(|| json!(job.prompts[0][..])),
            "kv_transfer_params": job.handoff,
            "output_mode": "tokens",
            "choices": choices,
        })
    }
}
