//! SGLang: `/generate`. Source: SGLang 0.5.23, `managers/io_struct.py` and `sampling/sampling_params.py`.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::choices::{Choices, finish_of, logprobs_of, token};
use super::vllm::text_of;
use super::{IdLogprob, TokenCall, TokenEvent, TokenFault, TokenFinish, numbers};
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
    pub(super) fn of(call: &'a TokenCall) -> Self {
        Self {
            input_ids: &call.prompt,
            sampling_params: Params::of(call),
            stream: true,
            return_logprob: call.logprobs.map(|_| true),
            top_logprobs_num: call.logprobs.map(|asked| asked.top),
            lora_path: call.is_adapter.then_some(&*call.model),
            cache_salt: call.cache_salt.as_deref(),
            priority: call.priority,
            rid: call.request_id.as_deref(),
        }
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

fn one_of(choices: &[String]) -> String {
    let literals: Vec<String> = choices.iter().map(|choice| literal(choice)).collect();
    format!("({})", literals.join("|"))
}

fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    index: u32,
    output_ids: Option<Vec<u32>>,
    meta_info: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    finish_reason: Option<Reason>,
    #[serde(default)]
    completion_tokens: u64,
    cached_tokens: Option<u64>,
    output_token_logprobs: Option<Vec<Entry>>,
    output_top_logprobs: Option<Vec<Option<Vec<Entry>>>>,
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
    let chunk: Chunk = serde_json::from_str(data).map_err(|_| TokenFault::Malformed)?;
    let Some(meta) = chunk.meta_info else {
        return Ok(false);
    };
    let seen = choices.seen(chunk.index).ok_or(TokenFault::Malformed)?;
    let ids = fresh(chunk.output_ids.unwrap_or_default(), seen, &meta);
    let logprobs = meta.logprobs(ids.len(), choices.top());
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

/// What is new of `ids`. Every event has all ids so far, unless the server runs with `--incremental-streaming-output`;
/// the count beside them is of all in both cases and tells the two apart.
fn fresh(mut ids: Vec<u32>, seen: usize, meta: &Meta) -> Vec<u32> {
    if ids.len() as u64 >= meta.completion_tokens {
        ids.drain(..seen.min(ids.len()));
    }
    ids
}

impl Meta {
    /// Of the last `fresh` positions: the lists grow or not as the ids do, and end where they end.
    fn logprobs(&self, fresh: usize, top: usize) -> Vec<IdLogprob> {
        let told = self.output_token_logprobs.as_deref().unwrap_or_default();
        let tops = self.output_top_logprobs.as_deref().unwrap_or_default();
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
        logprobs_of(positions.collect::<Option<Vec<_>>>(), |position| position)
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
