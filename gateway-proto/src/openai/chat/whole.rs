//! An engine's whole chat answer, in the neutral form.

use super::reader::{Logprobs, stop_cause, unreadable};
use super::reply::{self, Choice, Reply};
use crate::error::{ApiError, EngineFault};
use crate::ir::{
    Answer, AnswerChoice, Block, Content, Fields, Finish, Head, Message, Part, ToolCall,
};

/// Reads a whole answer: within a choice reasoning first, then text, then calls.
///
/// # Errors
/// What the engine says where the body is an error under a polite status, else 502 where it is no chat answer.
pub fn read_answer(body: &[u8]) -> Result<Answer, Box<ApiError>> {
    let reply = reply::decode(body).map_err(|_| fault(body))?;
    if reply.choices.is_empty() && is_error(&reply) {
        return Err(fault(body));
    }
    let id = reply.id.strip_prefix(super::ID_PREFIX).unwrap_or(&reply.id);
    let mut answer = Answer::new(Head {
        id: id.to_owned(),
        created: reply.created,
        model: reply.model,
        prompt_tokens: reply.usage.map(|usage| usage.prompt_tokens),
    });
    answer.usage = reply.usage.unwrap_or_default();
    let mut choices = reply.choices;
    choices.sort_by_key(|choice| choice.index);
    let read = choices
        .into_iter()
        .zip(0..)
        .map(|(read, at)| choice(read, at));
    answer.choices = read.collect::<Result<_, _>>()?;
    Ok(answer)
}

fn is_error(reply: &Reply) -> bool {
    let has = |key| reply.extra.raw(key).is_some_and(|raw| raw != "null");
    has("error") || has("message") || has("detail")
}

fn fault(body: &[u8]) -> Box<ApiError> {
    let reply: Option<Fields> = serde_json::from_slice(body).ok();
    match reply {
        Some(fields) if fields.raw("choices").is_none() => {
            Box::new(EngineFault::parse(200, body).error)
        }
        _ => unreadable(),
    }
}

fn choice(read: Choice, at: u32) -> Result<AnswerChoice, Box<ApiError>> {
    let mut extra = read.extra;
    let take = |extra: &mut Fields, key| extra.take(key).map_err(|_| unreadable());
    let logprobs: Option<Logprobs> = extra.take("logprobs").map_err(|_| unreadable())?;
    let vllm = take(&mut extra, "stop_reason")?;
    let sglang = take(&mut extra, "matched_stop")?;
    let finish = read.finish.unwrap_or(Finish::Stop);
    Ok(AnswerChoice {
        blocks: blocks(read.message, at),
        finish: Some(finish),
        stop: vllm.or(sglang).as_ref().and_then(stop_cause),
        violation: extra.take("violation").map_err(|_| unreadable())?,
        logprobs: logprobs.map(Logprobs::into_tokens).unwrap_or_default(),
        token_ids: read.token_ids.unwrap_or_default(),
        prompt_token_ids: None,
        extra,
    })
}

fn blocks(message: Message, choice: u32) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Some(text) = message.reasoning.filter(|text| !text.is_empty()) {
        let signature = None;
        blocks.push(Block::Reasoning { text, signature });
    }
    let mut extra = message.extra;
    let refusal: Option<String> = extra.take("refusal").ok().flatten();
    let mut text = message.content.map(plain_text).unwrap_or_default();
    text.push_str(&refusal.unwrap_or_default());
    if !text.is_empty() {
        blocks.push(Block::Text(text));
    }
    blocks.extend(calls(message.tool_calls, choice).map(Block::Call));
    blocks
}

fn calls(calls: Vec<ToolCall>, choice: u32) -> impl Iterator<Item = ToolCall> {
    let mut seen = std::collections::BTreeSet::new();
    calls.into_iter().enumerate().map(move |(at, mut call)| {
        if call.id.is_empty() || seen.contains(&call.id) {
            call.id = format!("call_{choice}_{at}");
        }
        seen.insert(call.id.clone());
        call
    })
}

fn plain_text(content: Content) -> String {
    match content {
        Content::Text(text) => text,
        Content::Parts(parts) => {
            let texts = parts.into_iter().filter_map(|part| match part {
                Part::Text { text, .. } => Some(text),
                Part::Other(_) => None,
            });
            texts.collect()
        }
    }
}
