//! llama.cpp's server: `/completion`. Source: llama.cpp 00dc805, `tools/server/README.md`, and recordings of b11434.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::choices::{Choices, logprobs_of};
use super::forms::grammar_of;
use super::{IdLogprob, TokenCall, TokenEvent, TokenFault, TokenFinish, Unsupported, numbers};
use crate::ir::{Format, Usage};

const CALLED: &str = "llama.cpp";

#[derive(Serialize)]
pub(super) struct Body<'a> {
    prompt: &'a [u32],
    n_predict: u64,
    stream: bool,
    return_tokens: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_penalty: Option<f64>,
    /// How many of the last tokens penalties look at; all of them, as elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_last_n: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignore_eos: Option<bool>,
    #[serde(skip_serializing_if = "<[(u32, f64)]>::is_empty")]
    logit_bias: &'a [(u32, f64)],
    #[serde(skip_serializing_if = "Option::is_none")]
    n_probs: Option<u32>,
    #[serde(flatten)]
    form: Option<Form<'a>>,
}

/// One member of the body.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Form<'a> {
    JsonSchema(&'a RawValue),
    Grammar(String),
}

impl<'a> Body<'a> {
    pub(super) fn of(call: &'a TokenCall) -> Result<Self, Unsupported> {
        call.wishes.refuse(CALLED, false)?;
        refuse_beyond(call)?;
        let told = &call.sampling;
        let penalties = [
            told.repetition_penalty,
            told.presence_penalty,
            told.frequency_penalty,
        ];
        Ok(Self {
            prompt: &call.prompt,
            n_predict: call.max_tokens,
            stream: false,
            return_tokens: true,
            temperature: told.temperature,
            top_p: told.top_p,
            // 0 means all here, and so does -1 elsewhere.
            top_k: told.top_k.map(|k| k.max(0)),
            min_p: told.min_p,
            repeat_penalty: told.repetition_penalty,
            repeat_last_n: penalties.iter().any(Option::is_some).then_some(-1),
            presence_penalty: told.presence_penalty,
            frequency_penalty: told.frequency_penalty,
            seed: told.seed,
            ignore_eos: told.ignore_eos,
            logit_bias: &told.logit_bias,
            n_probs: call.logprobs.map(|asked| asked.top.max(1)),
            form: Form::of(&call.format)?,
        })
    }
}

/// Refuses the first wish that the route has no member for. Stop tokens are not among them: the reader ends the stream at those.
fn refuse_beyond(call: &TokenCall) -> Result<(), Unsupported> {
    let told = &call.sampling;
    let wishes = [
        // Adapters go by the numbers of the server's own list.
        (call.is_adapter, "model"),
        (call.choices() > 1, "n"),
        (told.min_tokens.is_some_and(|least| least > 0), "min_tokens"),
        (call.cache_salt.is_some(), "cache_salt"),
        (call.priority.is_some_and(|rank| rank != 0), "priority"),
        // Seeds are 32 bits wide, and all bits set means any.
        (
            told.seed
                .is_some_and(|seed| !(0..0xffff_ffff).contains(&seed)),
            "seed",
        ),
    ];
    Unsupported::unless_none(CALLED, wishes)
}

impl<'a> Form<'a> {
    fn of(format: &'a Format) -> Result<Option<Self>, Unsupported> {
        let raw = |text: &'a str| {
            let read = serde_json::from_str(text);
            read.map_err(|_| Unsupported::field(CALLED, "response_format"))
        };
        match format {
            Format::Text => Ok(None),
            Format::JsonObject => Ok(Some(Self::JsonSchema(raw(r#"{"type":"object"}"#)?))),
            Format::JsonSchema { schema, .. } => Ok(Some(Self::JsonSchema(raw(schema.as_str())?))),
            Format::Grammar(grammar) => Ok(Some(Self::Grammar(grammar.clone()))),
            Format::Choice(choices) => Ok(Some(Self::Grammar(grammar_of(choices)))),
            Format::Regex(_) => Err(Unsupported::field(CALLED, "regex")),
            Format::StructuralTag(_) => Err(Unsupported::field(CALLED, "structural_tag")),
        }
    }
}

#[derive(Deserialize)]
struct Chunk {
    tokens: Option<Vec<u32>>,
    #[serde(default)]
    content: numbers::IsFilled,
    #[serde(default)]
    stop: bool,
    stop_type: Option<String>,
    #[serde(default)]
    tokens_predicted: Option<u64>,
    #[serde(default)]
    tokens_evaluated: Option<u64>,
    timings: Option<Timings>,
    #[serde(default)]
    completion_probabilities: Option<Vec<Position>>,
}

#[derive(Deserialize)]
struct Timings {
    cache_n: Option<u64>,
}

#[derive(Deserialize)]
struct Position {
    id: u32,
    logprob: Option<f64>,
    #[serde(default)]
    top_logprobs: Vec<Candidate>,
}

#[derive(Deserialize)]
struct Candidate {
    id: u32,
    logprob: Option<f64>,
}

/// Bytes of a token in `tokens`, `content` and `prompt`, escapes and bytes that are no UTF-8 included.
const TOKEN_BYTES: usize = 48;
/// Bytes of a candidate: its id, text, bytes one by one, and log probability.
const CANDIDATE_BYTES: usize = 192;
/// What the answer repeats of the settings.
const SETTINGS_BYTES: usize = 64 << 10;

/// What an answer to `call` may be long; it comes whole.
pub(super) fn answer_bytes(call: &TokenCall) -> usize {
    let candidates = call.logprobs.map_or(0, |asked| 2 + asked.top as usize);
    let token = TOKEN_BYTES + CANDIDATE_BYTES.saturating_mul(candidates);
    let tokens = usize::try_from(call.max_tokens).unwrap_or(usize::MAX);
    let prompt = call.prompt.len().saturating_mul(TOKEN_BYTES);
    let told = tokens.saturating_mul(token).saturating_add(prompt);
    told.saturating_add(SETTINGS_BYTES)
}

/// Reads one event; gives whether there was anything in it.
pub(super) fn read(
    data: &str,
    choices: &mut Choices,
    out: &mut Vec<TokenEvent>,
) -> Result<bool, TokenFault> {
    let chunk: Chunk = serde_json::from_str(data).map_err(|_| TokenFault::Malformed)?;
    if chunk.tokens.is_none() && chunk.content.0 {
        return Err(TokenFault::NoTokenIds);
    }
    if chunk.tokens.is_none() && !chunk.stop {
        return Ok(false);
    }
    let told = chunk.usage(choices.prompt_tokens());
    let listed = chunk.tokens.as_ref().map_or(0, Vec::len) as u64;
    let finish = chunk.finish()?;
    let top = choices.top();
    let logprobs = logprobs_of(chunk.completion_probabilities, |position| {
        position.into_logprob(top)
    });
    let event = TokenEvent {
        choice: 0,
        ids: chunk.tokens.unwrap_or_default(),
        logprobs,
        finish,
    };
    choices.add(event, out)?;
    let counted = choices.counted();
    // The engine's own count goes on past a stop token at which the answer was cut.
    let completion_tokens = if counted < listed {
        counted
    } else {
        told.completion_tokens.max(counted)
    };
    choices.note_usage(Some(Usage {
        completion_tokens,
        ..told
    }));
    Ok(true)
}

impl Chunk {
    fn finish(&self) -> Result<Option<TokenFinish>, TokenFault> {
        if !self.stop {
            return Ok(None);
        }
        match self.stop_type.as_deref() {
            Some("limit") => Ok(Some(TokenFinish::Length)),
            // Older servers name the kind by members of their own; what has ended without a limit has stopped.
            Some("eos" | "word") | None => Ok(Some(TokenFinish::Stop { token: None })),
            // No kind of end: the server withdrew it.
            Some("none") => Err(TokenFault::Aborted),
            Some(other) => Ok(Some(TokenFinish::Other(other.to_owned()))),
        }
    }

    /// What the server says was spent. What was evaluated holds what the cache had.
    fn usage(&self, prompt: u64) -> Usage {
        Usage {
            prompt_tokens: self.tokens_evaluated.unwrap_or(prompt),
            completion_tokens: self.tokens_predicted.unwrap_or_default(),
            cached_tokens: self.timings.as_ref().and_then(|timings| timings.cache_n),
            reasoning_tokens: None,
        }
    }
}

impl Position {
    fn into_logprob(self, top: usize) -> IdLogprob {
        let others = self.top_logprobs.iter();
        let pairs = others.filter_map(|other| Some((other.id, other.logprob?)));
        IdLogprob {
            id: self.id,
            logprob: self.logprob.unwrap_or(IMPOSSIBLE),
            top: numbers::likeliest(pairs.collect(), top),
        }
    }
}

/// What engines tell of a token that could not come; JSON has no infinity, so the server writes null.
const IMPOSSIBLE: f64 = -9999.0;
