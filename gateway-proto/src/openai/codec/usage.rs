//! The `usage` object.

use super::CodecError;
use super::object::{Builder, Object};
use crate::ir::{Fields, Usage};

const DETAILS: &str = "prompt_tokens_details";

/// Takes `usage` out of a reply or chunk; members that [`Usage`] does not have come back beside it.
pub(in crate::openai) fn take(object: &mut Object) -> Result<(Option<Usage>, Fields), CodecError> {
    let Some(mut usage) = object.take_object("usage")? else {
        return Ok((None, Fields::new()));
    };
    usage.fields.take_raw("total_tokens");
    let prompt_tokens = usage.take_or_default("prompt_tokens")?;
    let completion_tokens = usage.take_or_default("completion_tokens")?;
    let mut cached_tokens = None;
    if let Some(mut details) = usage.take_object(DETAILS)? {
        cached_tokens = details.take("cached_tokens")?;
        if !details.fields.is_empty() {
            usage.fields.put(DETAILS, &details.fields)?;
        }
    }
    Ok((
        Some(Usage {
            prompt_tokens,
            completion_tokens,
            cached_tokens,
            reasoning_tokens: None,
        }),
        usage.fields,
    ))
}

/// The object again.
pub(in crate::openai) fn put(usage: &Usage, extra: &Fields) -> Fields {
    let known = Builder::default()
        .put("prompt_tokens", &usage.prompt_tokens)
        .put("total_tokens", &usage.total_tokens())
        .put("completion_tokens", &usage.completion_tokens);
    let other: Option<Fields> = extra
        .raw(DETAILS)
        .and_then(|raw| serde_json::from_str(raw).ok());
    let has_details = usage.cached_tokens.is_some() || other.is_some();
    let cached = Builder::default().put_some("cached_tokens", usage.cached_tokens.as_ref());
    let details = cached.extra(&other.unwrap_or_default());
    known
        .put_some(DETAILS, has_details.then_some(&details))
        .extra(extra)
}
