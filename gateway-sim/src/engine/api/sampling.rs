//! How an answer is to be made and how it is to be sent.

use super::fields::Fields;
use super::form::Form;
use super::logprobs::Asked;
use crate::engine::error::ApiError;

/// What decides the text of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sampling {
    pub(super) n: u32,
    pub(super) max_tokens: Option<usize>,
    pub(super) min_tokens: usize,
    pub(super) is_greedy: bool,
    pub(super) seed: u64,
    pub(super) stop: Vec<String>,
    pub(super) stop_token_ids: Vec<u32>,
    pub(super) ignores_eos: bool,
    pub(super) keeps_stop: bool,
    pub(super) form: Option<Form>,
    /// Whether the answer is to another prompt, because the KV was another's.
    pub(super) is_spoilt: bool,
}

/// How a reply is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) streams: bool,
    pub(super) includes_usage: bool,
    pub(super) repeats_usage: bool,
    pub(super) returns_token_ids: bool,
    pub(super) logprobs: Option<Asked>,
}

impl Sampling {
    /// Reads the parameters; `default_max` where the dialect has a default for the length.
    pub(super) fn read(
        fields: Fields<'_>,
        default_max: Option<usize>,
        max_n: u32,
    ) -> Result<Self, ApiError> {
        let temperature = check_range(
            fields,
            "temperature",
            |value| value >= 0.0,
            "must be non-negative",
        )?;
        check_range(
            fields,
            "top_p",
            |value| value > 0.0 && value <= 1.0,
            "must be in (0, 1]",
        )?;
        let max_tokens = match fields.integer("max_completion_tokens")? {
            None => at_least(fields, "max_tokens", 1)?,
            Some(_) => at_least(fields, "max_completion_tokens", 1)?,
        };
        let n = at_least(fields, "n", 1)?.unwrap_or(1);
        let n = u32::try_from(n)
            .ok()
            .filter(|n| *n <= max_n)
            .ok_or_else(|| {
                ApiError::bad_request(
                    "n",
                    format!("n must be at most {max_n}, got {n}. (parameter=n, value={n})"),
                )
            })?;
        Ok(Self {
            n,
            max_tokens: max_tokens.or(default_max),
            min_tokens: at_least(fields, "min_tokens", 0)?.unwrap_or(0),
            // The engine's own default is to sample, but a seed settles the outcome all the same.
            is_greedy: temperature == Some(0.0),
            seed: fields.integer("seed")?.unwrap_or(0).cast_unsigned(),
            stop: fields
                .strings("stop")?
                .into_iter()
                .filter(|stop| !stop.is_empty())
                .collect(),
            stop_token_ids: token_ids(fields, "stop_token_ids")?.unwrap_or_default(),
            ignores_eos: fields.boolean("ignore_eos")?,
            keeps_stop: fields.boolean("include_stop_str_in_output")?,
            form: Form::read(fields)?,
            is_spoilt: false,
        })
    }
}

impl Delivery {
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, ApiError> {
        let options = fields.nested("stream_options")?;
        let option = |name| options.map_or(Ok(false), |options| options.boolean(name));
        let streams = fields.boolean("stream")?;
        if options.is_some() && !streams {
            let message = "Stream options can only be defined when `stream=True`.";
            return Err(ApiError::bad_request("stream_options", message));
        }
        Ok(Self {
            streams,
            includes_usage: option("include_usage")?,
            repeats_usage: option("continuous_usage_stats")?,
            returns_token_ids: fields.boolean("return_token_ids")?,
            logprobs: None,
        })
    }
}

/// A list of token ids.
pub(super) fn token_ids(fields: Fields<'_>, name: &str) -> Result<Option<Vec<u32>>, ApiError> {
    let Some(list) = fields.list(name)? else {
        return Ok(None);
    };
    let id = |value: &serde_json::Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    let ids = list.iter().map(|value| {
        id(value)
            .ok_or_else(|| fields.wrong("int_type", name, "Input should be a valid integer", value))
    });
    ids.collect::<Result<_, _>>().map(Some)
}

fn at_least(fields: Fields<'_>, name: &str, least: i64) -> Result<Option<usize>, ApiError> {
    let Some(value) = fields.integer(name)? else {
        return Ok(None);
    };
    match usize::try_from(value) {
        Ok(count) if value >= least => Ok(Some(count)),
        _ => {
            let message = format!(
                "{name} must be at least {least}, got {value}. (parameter={name}, value={value})"
            );
            Err(ApiError::bad_request(name, message))
        }
    }
}

fn check_range(
    fields: Fields<'_>,
    name: &str,
    is_good: impl Fn(f64) -> bool,
    rule: &str,
) -> Result<Option<f64>, ApiError> {
    let value = fields.float(name)?;
    match value.filter(|value| !is_good(*value)) {
        None => Ok(value),
        Some(bad) => {
            let message = format!("{name} {rule}, got {bad:?}. (parameter={name}, value={bad:?})");
            Err(ApiError::bad_request(name, message))
        }
    }
}
