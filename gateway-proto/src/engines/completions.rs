//! `/v1/completions` with token ids: vLLM's, and of whoever honours `return_token_ids`. Source: vLLM 0.32,
//! `entrypoints/openai/completion`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::choices::Choices;
use super::forms::field_of;
use super::vllm::{Sampling, StreamOptions};
use super::{IdLogprob, TokenCall, TokenEvent, TokenFault, TokenFinish, Unsupported, numbers};
use crate::ir::{Format, Json, Usage};

/// What engines are called of which no more is known than that they speak this route.
const PORTABLE: &str = "OpenAI-compatible";

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    prompt: &'a [u32],
    #[serde(flatten)]
    sampling: Sampling<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<u32>,
    /// Log probabilities name tokens as `token_id:5`, which no text is lost in.
    #[serde(skip_serializing_if = "Option::is_none")]
    return_tokens_as_token_ids: Option<bool>,
    return_token_ids: bool,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_salt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat<'a> {
    JsonObject,
    JsonSchema { json_schema: Schema<'a> },
}

#[derive(Serialize)]
pub(super) struct Schema<'a> {
    name: &'a str,
    schema: &'a Json,
}

impl<'a> Schema<'a> {
    pub(super) fn of(name: Option<&'a str>, schema: &'a Json) -> Self {
        let name = name.unwrap_or("answer");
        Self { name, schema }
    }
}

impl<'a> Body<'a> {
    pub(super) fn of(call: &'a TokenCall) -> Result<Self, Unsupported> {
        call.wishes.refuse("vLLM completions", true)?;
        Ok(Self::with(call, Sampling::of(call), None))
    }

    /// Without what vLLM alone has a field for.
    pub(super) fn portable(call: &'a TokenCall) -> Result<Self, Unsupported> {
        call.wishes.refuse(PORTABLE, false)?;
        let format = ResponseFormat::of(&call.format)?;
        Ok(Self::with(call, Sampling::unstructured(call), format))
    }

    fn with(
        call: &'a TokenCall,
        sampling: Sampling<'a>,
        response_format: Option<ResponseFormat<'a>>,
    ) -> Self {
        Self {
            model: &call.model,
            prompt: &call.prompt,
            sampling,
            logprobs: call.logprobs.map(|asked| asked.top),
            return_tokens_as_token_ids: call.logprobs.map(|_| true),
            return_token_ids: true,
            stream: true,
            stream_options: StreamOptions::WITH_USAGE,
            response_format,
            cache_salt: call.cache_salt.as_deref(),
            priority: call.priority,
            request_id: call.request_id.as_deref(),
        }
    }
}

impl<'a> ResponseFormat<'a> {
    fn of(format: &'a Format) -> Result<Option<Self>, Unsupported> {
        match format {
            Format::Text => Ok(None),
            Format::JsonObject => Ok(Some(Self::JsonObject)),
            Format::JsonSchema { name, schema, .. } => {
                let json_schema = Schema::of(name.as_deref(), schema);
                Ok(Some(Self::JsonSchema { json_schema }))
            }
            other => Err(Unsupported::field(PORTABLE, field_of(other))),
        }
    }
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
    text: numbers::IsFilled,
    token_ids: Option<Vec<u32>>,
    logprobs: Option<Logprobs>,
    finish_reason: Option<String>,
    stop_reason: Option<Value>,
}

#[derive(Default, Deserialize)]
struct Logprobs {
    #[serde(default)]
    token_logprobs: Vec<Option<f64>>,
    #[serde(default)]
    top_logprobs: Option<Vec<Option<Map<String, Value>>>>,
}

/// What an engine means by the reason that an answer ended for, and what stopped it.
pub(super) type ReadFinish =
    fn(Option<String>, Option<&Value>) -> Result<Option<TokenFinish>, TokenFault>;

/// Reads one event of any engine that speaks this route; gives whether there was anything in it.
pub(super) fn read(
    data: &str,
    finish: ReadFinish,
    choices: &mut Choices,
    out: &mut Vec<TokenEvent>,
) -> Result<bool, TokenFault> {
    let chunk: Chunk = serde_json::from_str(data).map_err(|_| TokenFault::Malformed)?;
    let known = chunk.choices.is_some() || chunk.usage.is_some();
    choices.note_usage(chunk.usage.map(Usage::from));
    for choice in chunk.choices.unwrap_or_default() {
        if choice.token_ids.is_none() && choice.text.0 {
            return Err(TokenFault::NoTokenIds);
        }
        let ids = choice.token_ids.unwrap_or_default();
        let logprobs = choice
            .logprobs
            .map(|told| told.of_ids(&ids, choices.top()))
            .unwrap_or_default();
        let event = TokenEvent {
            choice: choice.index,
            ids,
            logprobs,
            finish: finish(choice.finish_reason, choice.stop_reason.as_ref())?,
        };
        choices.add(event, out)?;
    }
    Ok(known)
}

impl Logprobs {
    fn of_ids(&self, ids: &[u32], top: usize) -> Vec<IdLogprob> {
        let others = |at: usize| self.top_logprobs.as_ref()?.get(at)?.as_ref();
        let positions = ids.iter().zip(&self.token_logprobs).enumerate();
        positions
            .map_while(|(at, (&id, &logprob))| {
                let pairs = others(at).map(candidates).unwrap_or_default();
                Some(IdLogprob {
                    id,
                    logprob: logprob?,
                    top: numbers::likeliest(pairs, top),
                })
            })
            .collect()
    }
}

/// The entries whose token is told as an id; others name a text that no id can be had from.
fn candidates(others: &Map<String, Value>) -> Vec<(u32, f64)> {
    let pairs = others.iter().filter_map(|(name, logprob)| {
        let id = name.strip_prefix("token_id:")?.parse().ok()?;
        Some((id, logprob.as_f64()?))
    });
    pairs.collect()
}
