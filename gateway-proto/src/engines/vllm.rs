//! vLLM: `/inference/v1/generate`, and its sampling parameters. Source: vLLM 0.32, `entrypoints/scale_out` and
//! `sampling_params.py`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::choices::{Choices, finish_for, logprobs_of};
use super::error::TokenFault;
use super::numbers;
use super::{IdLogprob, TokenCall, TokenEvent};
use crate::ir::{Format, Json, Usage};

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    token_ids: &'a [u32],
    sampling_params: Params<'a>,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_salt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Params<'a> {
    #[serde(flatten)]
    sampling: Sampling<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<u32>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    bad_words: &'a [String],
    /// The engine need not make text of what it generates.
    detokenize: bool,
}

/// The parameters that this route and `/v1/completions` have in common.
#[derive(Serialize)]
pub(super) struct Sampling<'a> {
    max_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
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
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignore_eos: Option<bool>,
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    stop_token_ids: &'a [u32],
    #[serde(skip_serializing_if = "<[(u32, f64)]>::is_empty")]
    #[serde(serialize_with = "numbers::as_map")]
    logit_bias: &'a [(u32, f64)],
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    allowed_token_ids: &'a [u32],
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_outputs: Option<Structured<'a>>,
}

/// `structured_outputs`: one of these.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Structured<'a> {
    JsonObject(bool),
    Json(&'a Json),
    Regex(&'a str),
    Grammar(&'a str),
    Choice(&'a [String]),
    /// As text, whatever form it came in.
    StructuralTag(String),
}

#[derive(Serialize)]
pub(super) struct StreamOptions {
    include_usage: bool,
}

impl StreamOptions {
    pub(super) const WITH_USAGE: Self = Self {
        include_usage: true,
    };
}

impl<'a> Body<'a> {
    pub(super) fn of(call: &'a TokenCall) -> Self {
        Self {
            model: &call.model,
            token_ids: &call.prompt,
            sampling_params: Params {
                sampling: Sampling::of(call),
                logprobs: call.logprobs.map(|asked| asked.top),
                bad_words: &call.wishes.bad_words,
                detokenize: false,
            },
            stream: true,
            stream_options: StreamOptions::WITH_USAGE,
            cache_salt: call.cache_salt.as_deref(),
            priority: call.priority,
            request_id: call.request_id.as_deref(),
        }
    }
}

impl<'a> Sampling<'a> {
    pub(super) fn of(call: &'a TokenCall) -> Self {
        Self {
            structured_outputs: Structured::of(&call.format),
            ..Self::unstructured(call)
        }
    }

    /// Where 0 and below mean all tokens here, an engine may know that by leaving it out alone.
    pub(super) fn with_positive_top_k(mut self) -> Self {
        self.top_k = self.top_k.filter(|k| *k > 0);
        self
    }

    /// Without `structured_outputs`.
    pub(super) fn unstructured(call: &'a TokenCall) -> Self {
        let told = &call.sampling;
        Self {
            max_tokens: call.max_tokens,
            min_tokens: told.min_tokens,
            n: told.n,
            temperature: told.temperature,
            top_p: told.top_p,
            top_k: told.top_k,
            min_p: told.min_p,
            repetition_penalty: told.repetition_penalty,
            presence_penalty: told.presence_penalty,
            frequency_penalty: told.frequency_penalty,
            seed: told.seed,
            ignore_eos: told.ignore_eos,
            stop_token_ids: &told.stop_token_ids,
            logit_bias: &told.logit_bias,
            allowed_token_ids: &call.wishes.allowed_token_ids,
            structured_outputs: None,
        }
    }
}

impl<'a> Structured<'a> {
    fn of(format: &'a Format) -> Option<Self> {
        Some(match format {
            Format::Text => return None,
            Format::JsonObject => Self::JsonObject(true),
            Format::JsonSchema { schema, .. } => Self::Json(schema),
            Format::Regex(regex) => Self::Regex(regex),
            Format::Grammar(grammar) => Self::Grammar(grammar),
            Format::Choice(choices) => Self::Choice(choices),
            Format::StructuralTag(tag) => Self::StructuralTag(text_of(tag)),
        })
    }
}

/// A JSON value as the text that engines want in a string: the string's own text where it already is one.
pub(super) fn text_of(json: &Json) -> String {
    serde_json::from_str(json.as_str()).unwrap_or_else(|_| json.as_str().to_owned())
}

#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    usage: Option<numbers::Usage>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    token_ids: Option<Vec<u32>>,
    #[serde(default)]
    logprobs: Option<Logprobs>,
    finish_reason: Option<String>,
    stop_reason: Option<Value>,
}

#[derive(Deserialize)]
struct Logprobs {
    content: Option<Vec<Position>>,
}

#[derive(Deserialize)]
struct Position {
    token_id: u32,
    logprob: f64,
    /// The sampled token first, then the others in the order of their rank.
    #[serde(default)]
    top_logprobs: Vec<Candidate>,
}

#[derive(Deserialize)]
struct Candidate {
    token_id: u32,
    logprob: f64,
}

/// Reads one event; gives whether there was anything in it.
pub(super) fn read(
    data: &str,
    choices: &mut Choices,
    out: &mut Vec<TokenEvent>,
) -> Result<bool, TokenFault> {
    let chunk: Chunk = serde_json::from_str(data).map_err(|_| TokenFault::Malformed)?;
    let known = chunk.choices.is_some() || chunk.usage.is_some();
    choices.note_usage(chunk.usage.map(Usage::from));
    for choice in chunk.choices.unwrap_or_default() {
        let positions = choice.logprobs.and_then(|logprobs| logprobs.content);
        let logprobs = logprobs_of(positions, |position| position.into_logprob(choices.top()));
        let event = TokenEvent {
            choice: choice.index,
            ids: choice.token_ids.unwrap_or_default(),
            logprobs,
            finish: finish_for(choice.finish_reason, choice.stop_reason.as_ref())?,
        };
        choices.add(event, out)?;
    }
    Ok(known)
}

impl Position {
    fn into_logprob(self, top: usize) -> IdLogprob {
        let pairs = self
            .top_logprobs
            .iter()
            .map(|other| (other.token_id, other.logprob));
        IdLogprob {
            id: self.token_id,
            logprob: self.logprob,
            top: numbers::likeliest(pairs.collect(), top),
        }
    }
}
