//! Whole messages.

use serde_json::value::RawValue;

use super::ending::{self, Ending};
use super::signature::Tag;
use crate::ir::{Answer, AnswerChoice, Block, Head, ToolCall};
use crate::json;

/// Writes a whole message: the first choice, since this API has no other.
///
/// A call whose arguments are no JSON object, as one cut short by `max_tokens`, has the input
/// `{"INVALID_JSON":"..."}` with the text in it, the form that Anthropic's documentation gives such calls.
#[must_use]
pub fn encode_answer(answer: &Answer) -> Vec<u8> {
    let nothing = AnswerChoice::default();
    let choice = answer.choices.first().unwrap_or(&nothing);
    let mut out = Vec::with_capacity(512);
    push_opening(&mut out, &answer.head);
    out.push(b'[');
    for block in choice.blocks.iter().filter(|block| !is_empty(block)) {
        if !out.ends_with(b"[") {
            out.push(b',');
        }
        push_block(&mut out, block);
    }
    out.extend_from_slice(b"],");
    let ending = Ending {
        finish: choice.finish.as_ref(),
        stop: choice.stop.as_ref(),
        violation: choice.violation.as_deref(),
        called: choice.calls().next().is_some(),
    };
    ending.push(&mut out);
    out.extend_from_slice(br#","usage":"#);
    ending::push_usage(&mut out, &answer.head, Some(&answer.usage));
    out.push(b'}');
    out
}

/// Writes the answer of `count_tokens`.
#[must_use]
pub fn encode_count(input_tokens: u64) -> Vec<u8> {
    let mut out = br#"{"input_tokens":"#.to_vec();
    json::push_u64(&mut out, input_tokens);
    out.push(b'}');
    out
}

/// Appends a message as far as its `content`.
pub(super) fn push_opening(out: &mut Vec<u8>, head: &Head) {
    out.extend_from_slice(br#"{"id":"msg_"#);
    json::push_str_escaped(out, &head.id);
    out.extend_from_slice(br#"","type":"message","role":"assistant","model":"#);
    json::push_str(out, &head.model);
    out.extend_from_slice(br#","content":"#);
}

/// The stream has no block for what never came.
fn is_empty(block: &Block) -> bool {
    match block {
        Block::Text(text) => text.is_empty(),
        Block::Reasoning { text, .. } => text.is_empty(),
        Block::Call(_) => false,
    }
}

fn push_block(out: &mut Vec<u8>, block: &Block) {
    match block {
        Block::Text(text) => {
            out.extend_from_slice(br#"{"type":"text","text":"#);
            json::push_str(out, text);
        }
        Block::Reasoning { text, signature } => {
            out.extend_from_slice(br#"{"type":"thinking","thinking":"#);
            json::push_str(out, text);
            out.extend_from_slice(br#","signature":"#);
            match signature {
                Some(signature) => json::push_str(out, signature),
                None => json::push_str(out, &Tag::of(text)),
            }
        }
        Block::Call(call) => push_call(out, call),
    }
    out.push(b'}');
}

fn push_call(out: &mut Vec<u8>, call: &ToolCall) {
    push_call_head(out, &call.id, &call.name);
    let arguments = call.arguments.trim();
    if arguments.is_empty() {
        out.extend_from_slice(b"{}");
    } else if is_object(arguments) {
        out.extend_from_slice(arguments.as_bytes());
    } else {
        out.extend_from_slice(br#"{"INVALID_JSON":"#);
        json::push_str(out, &call.arguments);
        out.push(b'}');
    }
}

/// Appends a `tool_use` block as far as its input.
pub(super) fn push_call_head(out: &mut Vec<u8>, id: &str, name: &str) {
    out.extend_from_slice(br#"{"type":"tool_use","id":"#);
    json::push_str(out, id);
    out.extend_from_slice(br#","name":"#);
    json::push_str(out, name);
    out.extend_from_slice(br#","input":"#);
}

fn is_object(text: &str) -> bool {
    text.starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok()
}
