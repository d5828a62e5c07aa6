//! How to sample: the API's own members, and those that engines add to it.

use crate::dialect::DialectError;
use crate::ir::{LogprobsAsked, Request, Sampling};
use crate::responses::node::{Node, invalid};

/// The most alternatives per token that the API allows.
const MOST_TOP_LOGPROBS: u32 = 20;

pub(super) fn take_sampling(node: &mut Node) -> Result<Sampling, DialectError> {
    Ok(Sampling {
        max_tokens: node.take_positive("max_output_tokens")?,
        temperature: node.take_within("temperature", 0.0..=2.0)?,
        top_p: node.take_within("top_p", 0.0..=1.0)?,
        presence_penalty: node.take_within("presence_penalty", -2.0..=2.0)?,
        frequency_penalty: node.take_within("frequency_penalty", -2.0..=2.0)?,
        top_k: node.take("top_k")?,
        min_p: node.take_within("min_p", 0.0..=1.0)?,
        repetition_penalty: node.take("repetition_penalty")?,
        seed: node.take("seed")?,
        min_tokens: node.take("min_tokens")?,
        ignore_eos: node.take("ignore_eos")?,
        stop_token_ids: node.take("stop_token_ids")?.unwrap_or_default(),
        ..Sampling::default()
    })
}

/// Members of vLLM's form of this API beside sampling.
pub(super) fn take_engine_options(
    node: &mut Node,
    request: &mut Request,
) -> Result<(), DialectError> {
    if let Some(kwargs) = node.take_node("chat_template_kwargs")? {
        request.template.kwargs = kwargs.fields;
    }
    request.cache_salt = node.take("cache_salt")?;
    request.priority = node.take("priority")?;
    request.stops = stops(node)?;
    Ok(())
}

fn stops(node: &mut Node) -> Result<Vec<String>, DialectError> {
    let one = |raw: &str| raw.starts_with('"');
    if node.fields.raw("stop").is_some_and(one) {
        return Ok(node.take("stop")?.into_iter().collect());
    }
    Ok(node.take("stop")?.unwrap_or_default())
}

/// Log probabilities are asked for by a number of alternatives, or by including them.
pub(super) fn take_logprobs(
    node: &mut Node,
    include: &[String],
) -> Result<Option<LogprobsAsked>, DialectError> {
    let top: Option<u32> = node.take("top_logprobs")?;
    if top.is_some_and(|top| top > MOST_TOP_LOGPROBS) {
        let why = format!("it must lie in 0 to {MOST_TOP_LOGPROBS}");
        return Err(invalid(node.path("top_logprobs"), why));
    }
    let included = include
        .iter()
        .any(|asked| asked == "message.output_text.logprobs");
    let top = top.unwrap_or(0);
    Ok((included || top > 0).then_some(LogprobsAsked { top }))
}
