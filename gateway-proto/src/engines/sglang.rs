//! SGLang: `/generate`. Source: SGLang 0.5.23, `managers/io_struct.py` and `sampling/sampling_params.py`.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::choices::{Choices, finish_of, logprobs_of, token};
use super::forms::one_of;
use super::vllm::text_of;
use super::{
    IdLogprob, TokenCall, TokenEvent, TokenFault, TokenFinish, Unsupported, numbers, tail,
};
use crate::error::EngineFault;
use crate::ir::{Format, Usage};

#[derive(Serialize)]
pub(super) struct Body<'a> {
    input_ids: &'a [u32],
    sampling_params: Params<'a>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_logprob: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs_num: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lora_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_salt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rid: Option<&'a str>,
}

#[derive(Serialize)]
struct Params<'a> {
    max_new_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_new_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    /// 0 is an error here, where others take it for "all".
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repetition_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sampling_seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignore_eos: Option<bool>,
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    stop_token_ids: &'a [u32],
    #[serde(skip_serializing_if = "<[(u32, f64)]>::is_empty")]
    #[serde(serialize_with = "numbers::as_map")]
    logit_bias: &'a [(u32, f64)],
    #[serde(flatten)]
    form: Option<Form<'a>>,
}

/// One member of the parameters; all are texts.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Form<'a> {
    JsonSchema(&'a str),
    Regex(Cow<'a, str>),
    Ebnf(&'a str),
    StructuralTag(String),
}

impl<'a> Body<'a> {
    pub(super) fn of(call: &'a TokenCall) -> Result<Self, Unsupported> {
        call.wishes.refuse("SGLang", false)?;
        Ok(Self {
            input_ids: &call.prompt,
            sampling_params: Params::of(call),
            stream: true,
            return_logprob: call.logprobs.map(|_| true),
            top_logprobs_num: call.logprobs.map(|asked| asked.top),
            lora_path: call.is_adapter.then_some(&*call.model),
            cache_salt: call.cache_salt.as_deref(),
            priority: call.priority,
            rid: call.request_id.as_deref(),
        })
    }
}

impl<'a> Params<'a> {
    fn of(call: &'a TokenCall) -> Self {
        let told = &call.sampling;
        Self {
            max_new_tokens: call.max_tokens,
            min_new_tokens: told.min_tokens,
            n: told.n,
            temperature: told.temperature,
            top_p: told.top_p,
            top_k: told.top_k.filter(|k| *k > 0),
            min_p: told.min_p,
            repetition_penalty: told.repetition_penalty,
            presence_penalty: told.presence_penalty,
            frequency_penalty: told.frequency_penalty,
            sampling_seed: told.seed,
            ignore_eos: told.ignore_eos,
            stop_token_ids: &told.stop_token_ids,
            logit_bias: &told.logit_bias,
            form: Form::of(&call.format),
        }
    }
}

impl<'a> Form<'a> {
    fn of(format: &'a Format) -> Option<Self> {
        Some(match format {
            Format::Text => return None,
            Format::JsonObject => Self::JsonSchema(r#"{"type":"object"}"#),
            Format::JsonSchema { schema, .. } => Self::JsonSchema(schema.as_str()),
            Format::Regex(regex) => Self::Regex(Cow::Borrowed(regex)),
            Format::Grammar(grammar) => Self::Ebnf(grammar),
            // `choice` came late to this route; a regular expression says the same everywhere.
            Format::Choice(choices) => Self::Regex(Cow::Owned(one_of(choices))),
            Format::StructuralTag(tag) => Self::StructuralTag(text_of(tag)),
        })
    }
}

/// Bytes of an id, and of a log probability with its id, in JSON.
const ID_BYTES: usize = 8;
const LOGPROB_BYTES: usize = 48;

/// What the last event of an answer to `call` may be long.
pub(super) fn event_bytes(call: &TokenCall) -> usize {
    let logprobs = call.logprobs.map_or(0, |asked| 1 + asked.top as usize);
    let token = ID_BYTES + LOGPROB_BYTES.saturating_mul(logprobs);
    let tokens = usize::try_from(call.max_tokens).unwrap_or(usize::MAX);
    tokens.saturating_mul(token)
}

/// Lists stay unread until it is known what is new in them: every event repeats them from the start.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(default)]
    index: u32,
    #[serde(borrow)]
    output_ids: Option<&'a RawValue>,
    meta_info: Option<Meta<'a>>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    finish_reason: Option<Reason>,
    #[serde(default)]
    completion_tokens: u64,
    cached_tokens: Option<u64>,
    #[serde(borrow)]
    output_token_logprobs: Option<&'a RawValue>,
    #[serde(borrow)]
    output_top_logprobs: Option<&'a RawValue>,
}

/// Log probability, id, text.
type Entry = (Option<f64>, u32, IgnoredAny);

#[derive(Deserialize)]
struct Reason {
    r#type: String,
    matched: Option<Value>,
    message: Option<String>,
    status_code: Option<u16>,
}

/// Reads one event; gives whether there was anything in it.
pub(super) fn read(
    data: &str,
    choices: &mut Choices,
    out: &mut Vec<TokenEvent>,
) -> Result<bool, TokenFault> {
    let chunk: Chunk<'_> = serde_json::from_str(data).map_err(|_| TokenFault::Malformed)?;
    let Some(meta) = chunk.meta_info else {
        return Ok(false);
    };
    let seen = choices.seen(chunk.index).ok_or(TokenFault::Malformed)?;
    let known = known(chunk.output_ids, seen, &meta);
    let ids: Vec<u32> = tail::behind(chunk.output_ids, known).map_err(|_| TokenFault::Malformed)?;
    let logprobs = meta.logprobs(known, ids.len(), choices.top())?;
    let event = TokenEvent {
        choice: chunk.index,
        ids,
        logprobs,
        finish: meta.finish()?,
    };
    choices.add(event, out)?;
    choices.note_usage(Some(Usage {
        prompt_tokens: choices.prompt_tokens(),
        completion_tokens: choices.counted(),
        cached_tokens: meta.cached_tokens,
        reasoning_tokens: None,
    }));
    Ok(true)
}

/// How many of the ids have been seen. Every event has all ids so far, unless the server runs with
/// `--incremental-streaming-output`; the count beside them is of all in both cases and tells the two apart.
fn known(ids: Option<&RawValue>, seen: usize, meta: &Meta<'_>) -> usize {
    let are_all = ids.is_some_and(|ids| tail::count(ids) as u64 >= meta.completion_tokens);
    if are_all { seen } else { 0 }
}

impl Meta<'_> {
    /// Of the last `fresh` positions, behind the `known` ones: the lists grow or not as the ids do, and end where they
    /// end.
    fn logprobs(
        &self,
        known: usize,
        fresh: usize,
        top: usize,
    ) -> Result<Vec<IdLogprob>, TokenFault> {
        let malformed = |_| TokenFault::Malformed;
        let told: Vec<Entry> =
            tail::behind(self.output_token_logprobs, known).map_err(malformed)?;
        let tops: Vec<Option<Vec<Entry>>> =
            tail::behind(self.output_top_logprobs, known).map_err(malformed)?;
        let tops = &tops[tops.len().saturating_sub(fresh)..];
        let told = &told[told.len().saturating_sub(fresh)..];
        let positions = told.iter().enumerate().map(|(at, (logprob, id, _))| {
            let others = tops.get(at).and_then(Option::as_deref).unwrap_or_default();
            let pairs = others.iter().filter_map(|other| Some((other.1, other.0?)));
            Some(IdLogprob {
                id: *id,
                logprob: (*logprob)?,
                top: numbers::likeliest(pairs.collect(), top),
            })
        });
        Ok(logprobs_of(
            positions.collect::<Option<Vec<_>>>(),
            |position| position,
        ))
    }

    fn finish(&self) -> Result<Option<TokenFinish>, TokenFault> {
        let Some(reason) = &self.finish_reason else {
            return Ok(None);
        };
        if let (Some(message), Some(code)) = (&reason.message, reason.status_code) {
            let said = serde_json::json!({"error": {"message": message, "code": code}});
            let fault = EngineFault::parse(200, said.to_string().as_bytes());
            return Err(TokenFault::Engine(Box::new(fault)));
        }
        finish_of(Some(reason.r#type.clone()), token(reason.matched.as_ref()))
    }
}
