//! Whole chat answers, from the neutral form.

use super::stream::{push_reasoning, told};
use super::{ID_PREFIX, logprobs};
use crate::ir::{Answer, AnswerChoice, Block, ToolCall};
use crate::json;
use crate::openai::write::{ReplyOptions, parts};

/// Writes a `chat.completion`, the same that [`super::ChatStream`]'s chunks add up to.
#[must_use]
pub fn encode_answer(answer: &Answer, options: &ReplyOptions) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.push(b'{');
    parts::push_head(&mut out, &answer.head, ID_PREFIX, "chat.completion");
    out.extend_from_slice(b",\"choices\":[");
    parts::push_joined(
        &mut out,
        answer.choices.iter().zip(0..),
        |out, (choice, index)| {
            push_choice(out, index, choice, options);
        },
    );
    out.push(b']');
    // All choices have the same prompt.
    let prompt = answer
        .choices
        .iter()
        .find_map(|choice| choice.prompt_token_ids.as_deref());
    parts::push_prompt_ids(&mut out, prompt);
    out.extend_from_slice(b",\"usage\":");
    parts::push_usage(&mut out, &answer.usage);
    out.push(b'}');
    out
}

fn push_choice(out: &mut Vec<u8>, index: u64, choice: &AnswerChoice, options: &ReplyOptions) {
    out.extend_from_slice(b"{\"index\":");
    json::push_u64(out, index);
    out.extend_from_slice(b",\"message\":");
    push_message(out, choice, options);
    out.extend_from_slice(b",\"logprobs\":");
    logprobs::push(out, &choice.logprobs);
    parts::push_ids(out, &choice.token_ids);
    let has_calls = choice.calls().next().is_some();
    let finish = choice.finish.as_ref().map(|finish| told(finish, has_calls));
    let why = (choice.stop.as_ref(), choice.violation.as_deref());
    parts::push_finish(out, finish, why);
    for (name, value) in choice.extra.iter() {
        out.push(b',');
        json::push_str(out, name);
        out.push(b':');
        out.extend_from_slice(value.get().as_bytes());
    }
    out.push(b'}');
}

/// A message that only calls tools has `content: null`, as clients expect.
fn push_message(out: &mut Vec<u8>, choice: &AnswerChoice, options: &ReplyOptions) {
    let has = |wanted: fn(&Block) -> bool| choice.blocks.iter().any(wanted);
    let has_text = has(|block| matches!(block, Block::Text(_)));
    let has_calls = has(|block| matches!(block, Block::Call(_)));
    out.extend_from_slice(b"{\"role\":\"assistant\",\"content\":");
    let text = (has_text || !has_calls).then(|| choice.text());
    json::push_opt_str(out, text.as_deref());
    if has(|block| matches!(block, Block::Reasoning { .. })) {
        out.push(b',');
        push_reasoning(out, options.reasoning, &choice.reasoning());
    }
    if has_calls {
        out.extend_from_slice(b",\"tool_calls\":[");
        parts::push_joined(out, choice.calls(), push_call);
        out.push(b']');
    }
    out.push(b'}');
}

fn push_call(out: &mut Vec<u8>, call: &ToolCall) {
    out.extend_from_slice(b"{\"id\":");
    json::push_str(out, &call.id);
    out.extend_from_slice(b",\"type\":\"function\",\"function\":{\"name\":");
    json::push_str(out, &call.name);
    out.extend_from_slice(b",\"arguments\":");
    json::push_str(out, &call.arguments);
    out.extend_from_slice(b"}}");
}
