//! TensorRT-LLM: `/v1/completions` of `trtllm-serve`. Source: TensorRT-LLM 0076e93, `serve/openai_protocol.py` and
//! `serve/postprocess_handlers.py`.
//!
//! Ids come back where `detokenize` is off. The server refuses bodies with members that it does not know, so nothing goes
//! out that its release of 2025 had no name for unless it is asked for.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::choices::finish_for;
use super::completions::Schema;
use super::forms::one_of;
use super::vllm::{Sampling, StreamOptions};
use super::{TokenCall, TokenFault, TokenFinish, Unsupported};
use crate::ir::{Format, Json};

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
        refuse_beyond(call)?;
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

/// Refuses the first wish that the route has no member for.
fn refuse_beyond(call: &TokenCall) -> Result<(), Unsupported> {
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
    Unsupported::unless_none(CALLED, wishes)
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
                format: inner(tag).ok_or(Unsupported::field(CALLED, "structural_tag"))?,
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

/// Two words more than others have say that the engine gave the request up.
pub(super) fn finish(
    word: Option<String>,
    reason: Option<&Value>,
) -> Result<Option<TokenFinish>, TokenFault> {
    match word.as_deref() {
        Some("cancelled" | "timeout") => Err(TokenFault::Aborted),
        _ => finish_for(word, reason),
    }
}
