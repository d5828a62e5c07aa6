//! Log probabilities in chat's form.

use crate::ir::TokenLogprob;
use crate::json;
use crate::openai::write::parts::{push_joined, push_logprob};

/// The `logprobs` object, or `null` where there are none.
pub(super) fn push(out: &mut Vec<u8>, tokens: &[TokenLogprob]) {
    if tokens.is_empty() {
        out.extend_from_slice(b"null");
        return;
    }
    out.extend_from_slice(b"{\"content\":[");
    push_joined(out, tokens, |out, token| {
        push_token(out, token);
        out.extend_from_slice(b",\"top_logprobs\":[");
        push_joined(out, &token.top, |out, other| {
            push_token(out, other);
            out.push(b'}');
        });
        out.extend_from_slice(b"]}");
    });
    out.extend_from_slice(b"]}");
}

/// A token's object, left open.
fn push_token(out: &mut Vec<u8>, token: &TokenLogprob) {
    out.extend_from_slice(b"{\"token\":");
    json::push_str(out, &token.token);
    out.extend_from_slice(b",\"logprob\":");
    push_logprob(out, token.logprob);
    out.extend_from_slice(b",\"bytes\":[");
    push_joined(out, &token.bytes, |out, byte| {
        json::push_u64(out, (*byte).into());
    });
    out.push(b']');
}
