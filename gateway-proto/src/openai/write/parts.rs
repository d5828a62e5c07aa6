//! Members with the same form in chat and completions, streamed and whole.

use crate::ir::{Finish, Head, StopCause, Usage};
use crate::json;
use crate::openai::codec::common::finish_word;

/// OpenAI's stand-in for the logarithm of nought, which JSON cannot say.
const NEVER: f64 = -9_999.0;

/// `"id"` to `"model"`.
pub(in crate::openai) fn push_head(out: &mut Vec<u8>, head: &Head, prefix: &str, kind: &str) {
    out.extend_from_slice(b"\"id\":\"");
    json::push_str_escaped(out, prefix);
    json::push_str_escaped(out, &head.id);
    out.extend_from_slice(b"\",\"object\":");
    json::push_str(out, kind);
    out.extend_from_slice(b",\"created\":");
    json::push_u64(out, head.created);
    out.extend_from_slice(b",\"model\":");
    json::push_str(out, &head.model);
}

/// The `usage` object.
pub(in crate::openai) fn push_usage(out: &mut Vec<u8>, usage: &Usage) {
    for (key, count) in [
        (&b"{\"prompt_tokens\":"[..], usage.prompt_tokens),
        (b",\"total_tokens\":", usage.total_tokens()),
        (b",\"completion_tokens\":", usage.completion_tokens),
    ] {
        out.extend_from_slice(key);
        json::push_u64(out, count);
    }
    if let Some(count) = usage.cached_tokens {
        out.extend_from_slice(b",\"prompt_tokens_details\":{\"cached_tokens\":");
        json::push_u64(out, count);
        out.push(b'}');
    }
    if let Some(count) = usage.reasoning_tokens {
        out.extend_from_slice(b",\"completion_tokens_details\":{\"reasoning_tokens\":");
        json::push_u64(out, count);
        out.push(b'}');
    }
    out.push(b'}');
}

/// `finish_reason`, and beside it the stop text or token (as vLLM) and what the answer lacks, where there is either.
pub(in crate::openai) fn push_finish(
    out: &mut Vec<u8>,
    finish: Option<&Finish>,
    (stop, violation): (Option<&StopCause>, Option<&str>),
) {
    out.extend_from_slice(b",\"finish_reason\":");
    json::push_opt_str(out, finish_word(finish));
    if let Some(stop) = stop {
        out.extend_from_slice(b",\"stop_reason\":");
        match stop {
            StopCause::Text(text) => json::push_str(out, text),
            StopCause::Token(id) => json::push_u64(out, (*id).into()),
        }
    }
    if let Some(violation) = violation {
        out.extend_from_slice(b",\"violation\":");
        json::push_str(out, violation);
    }
}

/// `token_ids`, where there are any.
pub(in crate::openai) fn push_ids(out: &mut Vec<u8>, ids: &[u32]) {
    if !ids.is_empty() {
        out.extend_from_slice(b",\"token_ids\":");
        push_id_list(out, ids);
    }
}

/// `prompt_token_ids`, where they are told.
pub(in crate::openai) fn push_prompt_ids(out: &mut Vec<u8>, ids: Option<&[u32]>) {
    if let Some(ids) = ids {
        out.extend_from_slice(b",\"prompt_token_ids\":");
        push_id_list(out, ids);
    }
}

fn push_id_list(out: &mut Vec<u8>, ids: &[u32]) {
    out.push(b'[');
    push_joined(out, ids, |out, id| json::push_u64(out, (*id).into()));
    out.push(b']');
}

/// A log probability.
pub(in crate::openai) fn push_logprob(out: &mut Vec<u8>, logprob: f64) {
    let finite = if logprob.is_finite() { logprob } else { NEVER };
    json::push_value(out, &finite);
}

/// Elements with commas between them.
pub(in crate::openai) fn push_joined<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut push: impl FnMut(&mut Vec<u8>, T),
) {
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push(out, item);
    }
}
