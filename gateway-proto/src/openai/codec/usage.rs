//! The `usage` object.

use super::CodecError;
use super::object::{Builder, Object};
use crate::ir::{Fields, Usage};

const PROMPT: &str = "prompt_tokens_details";
const COMPLETION: &str = "completion_tokens_details";

/// Takes `usage` out of a reply or chunk; members that [`Usage`] does not have come back beside it.
pub(in crate::openai) fn take(object: &mut Object) -> Result<(Option<Usage>, Fields), CodecError> {
    let Some(mut usage) = object.take_object("usage")? else {
        return Ok((None, Fields::new()));
    };
    usage.fields.take_raw("total_tokens");
    let known = Usage {
        prompt_tokens: usage.take_or_default("prompt_tokens")?,
        completion_tokens: usage.take_or_default("completion_tokens")?,
        cached_tokens: take_detail(&mut usage, PROMPT, "cached_tokens")?,
        reasoning_tokens: take_detail(&mut usage, COMPLETION, "reasoning_tokens")?,
    };
    Ok((Some(known), usage.fields))
}

fn take_detail(usage: &mut Object, details: &str, key: &str) -> Result<Option<u64>, CodecError> {
    let Some(mut object) = usage.take_object(details)? else {
        return Ok(None);
    };
    let count = object.take(key)?;
    usage.put_back(details, &object)?;
    Ok(count)
}

/// The object again.
pub(in crate::openai) fn put(usage: &Usage, extra: &Fields) -> Fields {
    let known = Builder::default()
        .put("prompt_tokens", &usage.prompt_tokens)
        .put("total_tokens", &usage.total_tokens())
        .put("completion_tokens", &usage.completion_tokens);
    let known = put_detail(known, PROMPT, "cached_tokens", usage.cached_tokens, extra);
    let reasoning = usage.reasoning_tokens;
    put_detail(known, COMPLETION, "reasoning_tokens", reasoning, extra).extra(extra)
}

fn put_detail(
    builder: Builder,
    details: &str,
    key: &str,
    count: Option<u64>,
    extra: &Fields,
) -> Builder {
    match count {
        Some(count) => builder.put_merged(details, Builder::default().put(key, &count), extra),
        None => builder,
    }
}
