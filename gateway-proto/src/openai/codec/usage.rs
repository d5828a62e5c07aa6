//! The `usage` object.

use super::CodecError;
use super::object::Object;
use crate::ir::Usage;

/// Takes `usage` out of a reply.
pub(in crate::openai) fn take(object: &mut Object) -> Result<Option<Usage>, CodecError> {
    let Some(mut usage) = object.take_object("usage")? else {
        return Ok(None);
    };
    Ok(Some(Usage {
        prompt_tokens: usage.take_or_default("prompt_tokens")?,
        completion_tokens: usage.take_or_default("completion_tokens")?,
        cached_tokens: detail(&mut usage, "prompt_tokens_details", "cached_tokens")?,
        reasoning_tokens: detail(&mut usage, "completion_tokens_details", "reasoning_tokens")?,
    }))
}

fn detail(usage: &mut Object, details: &str, key: &str) -> Result<Option<u64>, CodecError> {
    match usage.take_object(details)? {
        Some(mut object) => object.take(key),
        None => Ok(None),
    }
}
