//! The `usage` object under this API's names.

use crate::ir::Usage;
use crate::json::push_u64;

/// Appends what was used; counts that nobody knows are told as 0, since they must be there.
pub(super) fn push_usage(out: &mut Vec<u8>, usage: &Usage) {
    out.extend_from_slice(b"{\"input_tokens\":");
    push_u64(out, usage.prompt_tokens);
    out.extend_from_slice(b",\"input_tokens_details\":{\"cached_tokens\":");
    push_u64(out, usage.cached_tokens.unwrap_or(0));
    out.extend_from_slice(b"},\"output_tokens\":");
    push_u64(out, usage.completion_tokens);
    out.extend_from_slice(b",\"output_tokens_details\":{\"reasoning_tokens\":");
    push_u64(out, usage.reasoning_tokens.unwrap_or(0));
    out.extend_from_slice(b"},\"total_tokens\":");
    push_u64(out, usage.total_tokens());
    out.push(b'}');
}
