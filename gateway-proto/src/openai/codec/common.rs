//! Members with the same form in chat and completions.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::object::{Builder, Object};
use super::{CodecError, format};
use crate::ir::{Fields, Finish, Request, Sampling};

#[derive(Deserialize)]
#[serde(untagged)]
enum Stops {
    One(String),
    Many(Vec<String>),
}

/// Takes everything of a request but its prompt and tools.
pub(in crate::openai) fn take_request(object: &mut Object) -> Result<Request, CodecError> {
    let stops = match object.take("stop")? {
        Some(Stops::One(stop)) => vec![stop],
        Some(Stops::Many(stops)) => stops,
        None => Vec::new(),
    };
    let mut request = Request {
        model: object.require("model")?,
        sampling: take_sampling(object)?,
        stops,
        stream: object.take_or_default("stream")?,
        return_token_ids: object.take_or_default("return_token_ids")?,
        keep_stop: take_keep_stop(object)?,
        format: format::take(object)?,
        cache_salt: object.take("cache_salt")?,
        priority: object.take("priority")?,
        ..Request::default()
    };
    if let Some(mut options) = object.take_object("stream_options")? {
        request.include_usage = options.take_or_default("include_usage")?;
        request.stream_options = options.fields;
    }
    Ok(request)
}

/// vLLM and SGLang name it the one and the other.
fn take_keep_stop(object: &mut Object) -> Result<bool, CodecError> {
    let vllm: bool = object.take_or_default("include_stop_str_in_output")?;
    let sglang: bool = object.take_or_default("no_stop_trim")?;
    Ok(vllm || sglang)
}

/// Takes `logit_bias`, an object from token ids to numbers.
fn take_logit_bias(object: &mut Object) -> Result<Vec<(u32, f64)>, CodecError> {
    let Some(fields) = object.take::<Fields>("logit_bias")? else {
        return Ok(Vec::new());
    };
    let pair = |(id, bias): (&str, &RawValue)| {
        let pair = id.parse().ok().zip(serde_json::from_str(bias.get()).ok());
        pair.ok_or_else(|| {
            let path = object.path(&format!("logit_bias.{id}"));
            CodecError::invalid(path, "a number under a token id")
        })
    };
    fields.iter().map(pair).collect()
}

fn take_sampling(object: &mut Object) -> Result<Sampling, CodecError> {
    let newer = object.take("max_completion_tokens")?;
    let older = object.take("max_tokens")?;
    Ok(Sampling {
        max_tokens: newer.or(older),
        min_tokens: object.take("min_tokens")?,
        n: object.take("n")?,
        temperature: object.take("temperature")?,
        top_p: object.take("top_p")?,
        top_k: object.take("top_k")?,
        min_p: object.take("min_p")?,
        repetition_penalty: object.take("repetition_penalty")?,
        logit_bias: take_logit_bias(object)?,
        stop_token_ids: object.take_or_default("stop_token_ids")?,
        presence_penalty: object.take("presence_penalty")?,
        frequency_penalty: object.take("frequency_penalty")?,
        seed: object.take("seed")?,
        ignore_eos: object.take("ignore_eos")?,
    })
}

/// Puts everything of a request behind its prompt and tools.
pub(in crate::openai) fn put_request(builder: Builder, request: &Request) -> Fields {
    let sampling = &request.sampling;
    let options = Builder::default()
        .put_flag("include_usage", request.include_usage)
        .extra(&request.stream_options);
    let builder = builder
        .put_some("max_tokens", sampling.max_tokens.as_ref())
        .put_some("min_tokens", sampling.min_tokens.as_ref())
        .put_some("n", sampling.n.as_ref())
        .put_some("temperature", sampling.temperature.as_ref())
        .put_some("top_p", sampling.top_p.as_ref())
        .put_some("top_k", sampling.top_k.as_ref())
        .put_some("min_p", sampling.min_p.as_ref())
        .put_some("repetition_penalty", sampling.repetition_penalty.as_ref())
        .put_list("stop_token_ids", &sampling.stop_token_ids)
        .put_some("presence_penalty", sampling.presence_penalty.as_ref())
        .put_some("frequency_penalty", sampling.frequency_penalty.as_ref())
        .put_some("seed", sampling.seed.as_ref())
        .put_some("ignore_eos", sampling.ignore_eos.as_ref())
        .put_list("stop", &request.stops)
        .put_flag("stream", request.stream)
        .put_some("stream_options", (!options.is_empty()).then_some(&options))
        .put_flag("return_token_ids", request.return_token_ids)
        .put_flag("include_stop_str_in_output", request.keep_stop)
        .put_some("logit_bias", bias(&sampling.logit_bias).as_ref())
        .put_some("cache_salt", request.cache_salt.as_ref())
        .put_some("priority", request.priority.as_ref());
    format::put(builder, &request.format, &request.extra).extra(&request.extra)
}

fn bias(pairs: &[(u32, f64)]) -> Option<Fields> {
    let put = |builder: Builder, (id, bias): &(u32, f64)| builder.put(&id.to_string(), bias);
    let builder = pairs.iter().fold(Builder::default(), put);
    (!pairs.is_empty()).then(|| builder.extra(&Fields::new()))
}

/// Takes `finish_reason`.
pub(in crate::openai) fn take_finish(object: &mut Object) -> Result<Option<Finish>, CodecError> {
    let word: Option<String> = object.take("finish_reason")?;
    Ok(word.map(finish_of))
}

/// What a word means.
pub(in crate::openai) fn finish_of(word: String) -> Finish {
    match word.as_str() {
        "stop" => Finish::Stop,
        "length" => Finish::Length,
        "tool_calls" => Finish::ToolCalls,
        "content_filter" => Finish::ContentFilter,
        "abort" => Finish::Abort,
        "error" => Finish::Error,
        _ => Finish::Other(word),
    }
}

/// The word for a finish reason; `null` while there is none.
pub(in crate::openai) fn finish_word(finish: Option<&Finish>) -> Option<&str> {
    finish.map(|finish| match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter => "content_filter",
        Finish::Abort => "abort",
        Finish::Error => "error",
        Finish::Other(word) => word,
    })
}
