//! Other dialects of the same conversation say what chat says.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{conversations, same};
use crate::real_engines::checks::{Bench, CHAT};
use crate::real_engines::talk::Answer;
use crate::real_engines::{BY_TOKENS, MODEL};

const MESSAGES: &str = "/v1/messages";
const RESPONSES: &str = "/v1/responses";
const SYSTEM: &str = "Be brief.";
const QUESTION: &str = "Wie spät ist es in Zürich?";
const MAX_TOKENS: u32 = 24;

/// Anthropic's Messages, whole and streamed, of the model by tokens and of the model by text; and a forced call.
pub(super) fn messages(bench: &Bench) -> Result<String> {
    let peer = &bench.gateway.peer;
    for model in [BY_TOKENS, MODEL] {
        let chat = by_chat(bench, model)?;
        let mut body = json!({
            "model": model, "max_tokens": MAX_TOKENS, "temperature": 0,
            "system": SYSTEM, "messages": [conversations::user(QUESTION)],
        });
        let whole = peer.json(MESSAGES, &body)?;
        ensure!(
            whole["type"] == "message" && whole["stop_reason"] == "max_tokens",
            "{whole}"
        );
        same(&chat.text, &texts(&whole["content"]), &body)?;
        same_usage(&chat, &whole["usage"], &body)?;
        body["stream"] = true.into();
        let events = peer.stream(MESSAGES, &body)?.events()?;
        same(
            &chat.text,
            &deltas(&events, |event| &event["delta"]["text"]),
            &body,
        )?;
        ends_with(&events, "message_stop")?;
    }
    let call = forced_call(bench)?;
    Ok(format!("by tokens and by text; calls {call}"))
}

/// OpenAI's Responses, whole and streamed, of the model by tokens and of the model by text.
pub(super) fn responses(bench: &Bench) -> Result<String> {
    let peer = &bench.gateway.peer;
    for model in [BY_TOKENS, MODEL] {
        let chat = by_chat(bench, model)?;
        let mut body = json!({
            "model": model, "max_output_tokens": MAX_TOKENS, "temperature": 0,
            "instructions": SYSTEM, "input": QUESTION, "store": false,
        });
        let whole = peer.json(RESPONSES, &body)?;
        ensure!(
            whole["object"] == "response"
                && whole["status"] == "incomplete"
                && whole["incomplete_details"]["reason"] == "max_output_tokens",
            "{whole}"
        );
        let output = whole["output"].as_array().context("no output")?;
        let message = output.iter().find(|item| item["type"] == "message");
        let message = message.with_context(|| format!("no message in {whole}"))?;
        same(&chat.text, &texts(&message["content"]), &body)?;
        same_usage(&chat, &whole["usage"], &body)?;
        body["stream"] = true.into();
        let events = peer.stream(RESPONSES, &body)?.events()?;
        same(&chat.text, &deltas(&events, |event| &event["delta"]), &body)?;
        ends_with(&events, "response.incomplete")?;
    }
    Ok("by tokens and by text".to_owned())
}

/// What chat says to the conversation.
fn by_chat(bench: &Bench, model: &str) -> Result<Answer> {
    let body = json!({
        "model": model, "max_tokens": MAX_TOKENS, "temperature": 0,
        "messages": [{ "role": "system", "content": SYSTEM }, conversations::user(QUESTION)],
    });
    let answer = bench.gateway.peer.ask(CHAT, &body)?;
    ensure!(!answer.text.is_empty(), "chat says nothing: {answer:?}");
    Ok(answer)
}

/// The input of the one call that a Messages request forces.
fn forced_call(bench: &Bench) -> Result<Value> {
    let tool = &conversations::weather()["function"];
    let body = json!({
        "model": BY_TOKENS, "max_tokens": 200, "temperature": 0,
        "messages": [conversations::user(QUESTION)],
        "tools": [{ "name": tool["name"], "input_schema": tool["parameters"] }],
        "tool_choice": { "type": "tool", "name": tool["name"] },
    });
    let reply = bench.gateway.peer.json(MESSAGES, &body)?;
    let call = &reply["content"][0];
    ensure!(
        reply["stop_reason"] == "tool_use"
            && call["type"] == "tool_use"
            && call["name"] == tool["name"]
            && call["input"]["days"].is_u64(),
        "{reply}"
    );
    Ok(call["input"].clone())
}

/// The texts of content blocks.
fn texts(content: &Value) -> String {
    let blocks = content.as_array().into_iter().flatten();
    blocks.filter_map(|block| block["text"].as_str()).collect()
}

/// What the text events of a stream add up to.
fn deltas(events: &[Value], text: fn(&Value) -> &Value) -> String {
    let of_text = |event: &&Value| {
        ["content_block_delta", "response.output_text.delta"]
            .iter()
            .any(|kind| event["type"] == *kind)
    };
    let texts = events.iter().filter(of_text).map(text);
    texts.filter_map(Value::as_str).collect()
}

fn ends_with(events: &[Value], kind: &str) -> Result<()> {
    let last = events.last().context("a stream without events")?;
    ensure!(last["type"] == kind, "the stream ends with {last}");
    Ok(())
}

fn same_usage(chat: &Answer, usage: &Value, body: &Value) -> Result<()> {
    let number = |of: &Value, name: &str| of[name].as_u64().unwrap_or(0);
    // Messages count apart what was cached.
    let input = number(usage, "input_tokens") + number(usage, "cache_read_input_tokens");
    let found = [input, number(usage, "output_tokens")];
    let wanted = ["prompt_tokens", "completion_tokens"].map(|name| number(&chat.usage, name));
    same(&wanted, &found, body)
}
