//! Whole completions, from the neutral form.

use super::{ID_PREFIX, logprobs};
use crate::ir::{Answer, AnswerChoice, Block};
use crate::json;
use crate::openai::write::{ReplyOptions, parts};

/// Writes a `text_completion`, the same that [`super::CompletionStream`]'s chunks add up to.
#[must_use]
pub fn encode_answer(answer: &Answer, options: &ReplyOptions) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.push(b'{');
    parts::push_head(&mut out, &answer.head, ID_PREFIX, "text_completion");
    out.extend_from_slice(b",\"choices\":[");
    parts::push_joined(
        &mut out,
        answer.choices.iter().zip(0..),
        |out, (choice, index)| {
            let echo = options.echo.as_ref().map_or("", |echo| echo.text(index));
            push_choice(out, index, echo, choice);
        },
    );
    out.extend_from_slice(b"],\"usage\":");
    parts::push_usage(&mut out, &answer.usage);
    out.push(b'}');
    out
}

fn push_choice(out: &mut Vec<u8>, index: u32, echo: &str, choice: &AnswerChoice) {
    out.extend_from_slice(b"{\"index\":");
    json::push_u64(out, index.into());
    out.extend_from_slice(b",\"text\":\"");
    json::push_str_escaped(out, echo);
    for block in &choice.blocks {
        if let Block::Text(text) | Block::Reasoning { text, .. } = block {
            json::push_str_escaped(out, text);
        }
    }
    out.extend_from_slice(b"\",\"logprobs\":");
    logprobs::push(out, &choice.logprobs, &mut (echo.chars().count() as u64));
    parts::push_ids(out, &choice.token_ids);
    let why = (choice.stop.as_ref(), choice.violation.as_deref());
    parts::push_finish(out, choice.finish.as_ref(), why);
    parts::push_prompt_ids(out, choice.prompt_token_ids.as_deref());
    out.push(b'}');
}
