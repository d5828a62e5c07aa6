//! Log probabilities in the older form: parallel lists over the tokens.

use crate::ir::TokenLogprob;
use crate::json;
use crate::openai::write::parts::{push_joined, push_logprob};

/// The `logprobs` object, or `null` where there are none. `offset` is the place of the first token in the text, in
/// characters, and is moved behind the last.
pub(super) fn push(out: &mut Vec<u8>, tokens: &[TokenLogprob], offset: &mut u64) {
    if tokens.is_empty() {
        out.extend_from_slice(b"null");
        return;
    }
    out.extend_from_slice(b"{\"text_offset\":[");
    push_joined(out, tokens, |out, token| {
        json::push_u64(out, *offset);
        *offset += token.token.chars().count() as u64;
    });
    out.extend_from_slice(b"],\"token_logprobs\":[");
    push_joined(out, tokens, |out, token| push_logprob(out, token.logprob));
    out.extend_from_slice(b"],\"tokens\":[");
    push_joined(out, tokens, |out, token| json::push_str(out, &token.token));
    out.extend_from_slice(b"],\"top_logprobs\":[");
    push_joined(out, tokens, push_top);
    out.extend_from_slice(b"]}");
}

/// The likeliest tokens by their text, the chosen one among them; `null` where none were asked for. Of tokens with the
/// same text, as the halves of a character, the first counts.
fn push_top(out: &mut Vec<u8>, token: &TokenLogprob) {
    if token.top.is_empty() {
        out.extend_from_slice(b"null");
        return;
    }
    let all: Vec<&TokenLogprob> = token.top.iter().chain([token]).collect();
    let first = |(at, other): &(usize, &TokenLogprob)| {
        all[..*at]
            .iter()
            .all(|earlier| earlier.token != other.token)
    };
    out.push(b'{');
    let distinct = all.iter().copied().enumerate().filter(first);
    push_joined(out, distinct, |out, (_, other)| {
        json::push_str(out, &other.token);
        out.push(b':');
        push_logprob(out, other.logprob);
    });
    out.push(b'}');
}
