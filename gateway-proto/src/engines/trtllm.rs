//! TensorRT-LLM: `/v1/completions` of `trtllm-serve`. Source: TensorRT-LLM 0076e93, `serve/openai_protocol.py` and
//! `serve/postprocess_handlers.py`.
//!
//! Ids come back where `detokenize` is off. The server refuses bodies with members that it does not know, so nothing goes
//! out that its release of 2025 had no name for unless it is asked for.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::choices::{Choices, finish_for};
use super::completions::Schema;
use super::forms::one_of;
use super::vllm::{Sampling, StreamOptions};
use super::{IdLogprob, TokenCall, TokenEvent, TokenFault, TokenFinish, Unsupported, numbers};
use crate::ir::{Format, Json, Usage};

const CALLED: &str = "TensorRT-LLM";

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    prompt: &'a [u32],
    #[serde(flatten)]
    sampling: Sampling<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<u32>,
    detokenize: bool,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat<'a> {
    JsonObject,
    JsonSchema { json_schema: Schema<'a> },
    Regex { regex: String },
    Ebnf { ebnf: &'a str },
    StructuralTag { format: &'a RawValue },
}

impl<'a> Body<'a> {
    pub(super) fn of(call: &'a TokenCall) -> Result<Self, Unsupported> {
        call.wishes.refuse(CALLED, false)?;
        if let Some(field) = beyond(call) {
            return Err(refused(field));
        }
        Ok(Self {
            model: &call.model,
            prompt: &call.prompt,
            sampling: Sampling::unstructured(call).with_positive_top_k(),
            logprobs: call.logprobs.map(|_| 1),
            detokenize: false,
            stream: true,
            stream_options: StreamOptions::WITH_USAGE,
            response_format: ResponseFormat::of(&call.format)?,
            priority: call.priority,
        })
    }
}

/// The first wish that the route has no member for.
fn beyond(call: &TokenCall) -> Option<&'static str> {
    let top = call.logprobs.map_or(0, |asked| asked.top);
    let wishes = [
        // An adapter is named by the path of its files, which are the engine's own affair.
        (call.is_adapter, "model"),
        // The other candidates come as texts, which no id can be had from.
        (top > 0, "top_logprobs"),
        (call.cache_salt.is_some(), "cache_salt"),
        // A share of 1 here.
        (
            call.priority.is_some_and(|rank| !(0..=1).contains(&rank)),
            "priority",
        ),
    ];
    let first = wishes.into_iter().find(|(wished, _)| *wished);
    first.map(|(_, field)| field)
}

fn refused(field: &'static str) -> Unsupported {
    Unsupported::Field {
        engine: CALLED,
        field,
    }
}

impl<'a> ResponseFormat<'a> {
    fn of(format: &'a Format) -> Result<Option<Self>, Unsupported> {
        Ok(Some(match format {
            Format::Text => return Ok(None),
            Format::JsonObject => Self::JsonObject,
            Format::JsonSchema { name, schema, .. } => Self::JsonSchema {
                json_schema: Schema::of(name.as_deref(), schema),
            },
            Format::Regex(regex) => Self::Regex {
                regex: regex.clone(),
            },
            Format::Choice(choices) => Self::Regex {
                regex: one_of(choices),
            },
            Format::Grammar(grammar) => Self::Ebnf { ebnf: grammar },
            Format::StructuralTag(tag) => Self::StructuralTag {
                format: inner(tag).ok_or(refused("structural_tag"))?,
            },
        }))
    }
}

/// The `format` of a tag, which is all that the engine takes; the older form of structures and triggers has none.
fn inner(tag: &Json) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Tag<'a> {
        #[serde(borrow)]
        format: &'a RawValue,
    }
    let tag: Tag<'_> = serde_json::from_str(tag.as_str()).ok()?;
    Some(tag.format)
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

#[derive(Deserialize)]
struct Logprobs {
    #[serde(default)]
    token_logprobs: Vec<Option<f64>>,
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
        if choice.token_ids.is_none() && choice.text.0 {
            return Err(TokenFault::NoTokenIds);
        }
        let ids = choice.token_ids.unwrap_or_default();
        let told = choice.logprobs.map(|told| told.token_logprobs);
        let event = TokenEvent {
            choice: choice.index,
            logprobs: logprobs(&ids, &told.unwrap_or_default()),
            ids,
            finish: finish(choice.finish_reason, choice.stop_reason.as_ref())?,
        };
        choices.add(event, out)?;
    }
    Ok(known)
}

fn logprobs(ids: &[u32], told: &[Option<f64>]) -> Vec<IdLogprob> {
    let positions = ids.iter().zip(told);
    let with = |(&id, &logprob): (&u32, &Option<f64>)| {
        Some(IdLogprob {
            id,
            logprob: logprob?,
            top: Vec::new(),
        })
    };
    positions.map_while(with).collect()
}

/// Two words more than others have say that the engine gave the request up.
fn finish(word: Option<String>, reason: Option<&Value>) -> Result<Option<TokenFinish>, TokenFault> {
    match word.as_deref() {
        Some("cancelled" | "timeout") => Err(TokenFault::Aborted),
        _ => finish_for(word, reason),
    }
}
