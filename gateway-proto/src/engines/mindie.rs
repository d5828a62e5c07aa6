//! MindIE-LLM: `/infer_token`. Source: MindIE-LLM 8b4871a, `http_wrapper/http_handler.cpp` and its API guide.

use serde::{Deserialize, Serialize};

use super::choices::{Choices, finish_of};
use super::forms::field_of;
use super::{TokenCall, TokenEvent, TokenFault, TokenFinish, Unsupported, numbers};
use crate::ir::{Format, Sampling, Usage};

const CALLED: &str = "MindIE";

#[derive(Serialize)]
pub(super) struct Body<'a> {
    input_id: &'a [u32],
    stream: bool,
    parameters: Params,
}

#[derive(Serialize)]
struct Params {
    max_new_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    do_sample: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repetition_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
    /// Without them no event says why the answer ended.
    details: bool,
}

impl<'a> Body<'a> {
    pub(super) fn of(call: &'a TokenCall) -> Result<Self, Unsupported> {
        call.wishes.refuse(CALLED, false)?;
        refuse_beyond(call)?;
        Ok(Self {
            input_id: &call.prompt,
            stream: true,
            parameters: Params::of(call),
        })
    }
}

/// Refuses the first wish that the route has no parameter for. A value that changes nothing is no wish. Stop tokens are not
/// among them: the reader ends the stream at those.
fn refuse_beyond(call: &TokenCall) -> Result<(), Unsupported> {
    let told = &call.sampling;
    let other_than = |value: Option<f64>, neutral: f64| value.is_some_and(|value| value != neutral);
    let wishes = [
        (call.is_adapter, "model"),
        (call.choices() > 1, "n"),
        (call.logprobs.is_some(), "logprobs"),
        (call.format != Format::Text, field_of(&call.format)),
        (call.cache_salt.is_some(), "cache_salt"),
        (told.min_tokens.is_some_and(|least| least > 0), "min_tokens"),
        (other_than(told.min_p, 0.0), "min_p"),
        (other_than(told.presence_penalty, 0.0), "presence_penalty"),
        (other_than(told.frequency_penalty, 0.0), "frequency_penalty"),
        (!told.logit_bias.is_empty(), "logit_bias"),
        (told.ignore_eos == Some(true), "ignore_eos"),
        // Seeds are positive here.
        (told.seed.is_some_and(|seed| seed < 1), "seed"),
    ];
    Unsupported::unless_none(CALLED, wishes)
}

impl Params {
    /// A temperature of 0 is an error here; greedy decoding is `do_sample: false`.
    fn of(call: &TokenCall) -> Self {
        let told = &call.sampling;
        let is_greedy = told.temperature == Some(0.0);
        Self {
            max_new_tokens: call.max_tokens,
            do_sample: says_how(told).then_some(!is_greedy),
            temperature: told.temperature.filter(|_| !is_greedy),
            top_p: told.top_p.filter(|_| !is_greedy),
            top_k: told.top_k.filter(|k| *k > 0 && !is_greedy),
            repetition_penalty: told.repetition_penalty,
            seed: told.seed,
            priority: call.priority,
            details: true,
        }
    }
}

/// Whether the call decides on sampling at all; else the engine does.
fn says_how(told: &Sampling) -> bool {
    told.temperature.is_some() || told.top_p.is_some() || told.top_k.is_some_and(|k| k > 0)
}

#[derive(Deserialize)]
struct Chunk {
    token: Option<Token>,
    details: Option<Details>,
    /// The whole text, in the last event alone.
    generated_text: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    id: numbers::Ids,
}

#[derive(Deserialize)]
struct Details {
    finish_reason: Option<String>,
}

/// Reads one event; gives whether there was anything in it.
pub(super) fn read(
    data: &str,
    choices: &mut Choices,
    out: &mut Vec<TokenEvent>,
) -> Result<bool, TokenFault> {
    let chunk: Chunk = serde_json::from_str(data).map_err(|_| TokenFault::Malformed)?;
    if chunk.token.is_none() && chunk.details.is_none() && chunk.generated_text.is_none() {
        return Ok(false);
    }
    let word = chunk.details.and_then(|details| details.finish_reason);
    let over = chunk
        .generated_text
        .map(|_| TokenFinish::Stop { token: None });
    let event = TokenEvent {
        choice: 0,
        ids: chunk.token.map(|token| token.id.0).unwrap_or_default(),
        logprobs: Vec::new(),
        finish: finish_of(word, None)?.or(over),
    };
    choices.add(event, out)?;
    choices.note_usage(Some(Usage {
        prompt_tokens: choices.prompt_tokens(),
        completion_tokens: choices.counted(),
        cached_tokens: None,
        reasoning_tokens: None,
    }));
    Ok(true)
}
