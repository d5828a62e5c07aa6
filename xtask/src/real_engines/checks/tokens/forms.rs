//! Answers that an engine holds to a form, asked for by tokens.
//!
//! The model is random: whatever has a form at all has it because the engine was told.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::{by_tokens, conversations};
use crate::real_engines::checks::{Bench, CHAT, streamed};

const MAX_TOKENS: u32 = 200;
/// By chance, either engine answers one of these.
const PROMPTS: [&str; 4] = ["One?", "Two?", "Three?", "Four?"];

/// JSON by a schema, any JSON object, one of several choices, a pattern.
pub(super) fn structured(bench: &Bench) -> Result<String> {
    let schema = conversations::weather()["function"]["parameters"].clone();
    let schema = json!({ "type": "json_schema", "json_schema": {
        "name": "weather", "schema": schema, "strict": true,
    } });
    let mut figures = Vec::new();
    for prompt in PROMPTS {
        let text = answer(bench, prompt, "response_format", &schema)?;
        ensure!(is_weather(&text), "not of the schema: {text}");
        let choice = json!({ "choice": ["red", "green", "blue"] });
        let color = answer(bench, prompt, "structured_outputs", &choice)?;
        ensure!(
            ["red", "green", "blue"].contains(&&*color),
            "not a choice: {color}"
        );
        let pattern = json!({ "regex": "[a-f]{4}-[0-9]{3}" });
        let matched = answer(bench, prompt, "structured_outputs", &pattern)?;
        ensure!(is_matched(&matched), "does not match: {matched}");
        figures.push(format!("{text} {color} {matched}"));
    }
    Ok(figures.swap_remove(0))
}

/// A tool that must be called, any or by name, whole and streamed.
pub(super) fn calls(bench: &Bench) -> Result<String> {
    let named = json!({ "type": "function", "function": { "name": "weather" } });
    let choices = [json!("required"), named];
    let mut last = String::new();
    for (prompt, choice) in PROMPTS.iter().zip(choices.iter().cycle()) {
        let mut body = conversations::unreasoned(prompt);
        body["max_tokens"] = MAX_TOKENS.into();
        body["tools"] = json!([conversations::weather()]);
        body["tool_choice"] = choice.clone();
        // The one call that is wanted: a random model would go on with more of them.
        body["parallel_tool_calls"] = false.into();
        let body = by_tokens(&body);
        let whole = arguments_of_whole(bench, &body)?;
        ensure!(is_weather(&whole), "not of the schema: {whole}");
        let streamed = arguments_of_stream(bench, &body)?;
        ensure!(streamed == whole, "whole: {whole}, streamed: {streamed}");
        last = whole;
    }
    Ok(format!("{} calls such as {last}", PROMPTS.len()))
}

fn arguments_of_whole(bench: &Bench, body: &Value) -> Result<String> {
    let reply = bench.gateway.peer.json(CHAT, body)?;
    let calls = reply["choices"][0]["message"]["tool_calls"].as_array();
    let [call] = calls.map(Vec::as_slice).unwrap_or_default() else {
        bail!("one call is wanted: {reply}");
    };
    let function = &call["function"];
    ensure!(function["name"] == "weather", "another tool: {reply}");
    let arguments = function["arguments"].as_str();
    Ok(arguments.context("no arguments")?.to_owned())
}

fn arguments_of_stream(bench: &Bench, body: &Value) -> Result<String> {
    let mut stream = bench.gateway.peer.stream(CHAT, &streamed(body.clone()))?;
    let mut arguments = String::new();
    while let Some(chunk) = stream.next_chunk()? {
        let call = &chunk["choices"][0]["delta"]["tool_calls"][0];
        arguments.push_str(call["function"]["arguments"].as_str().unwrap_or_default());
    }
    Ok(arguments)
}

/// The text of a finished answer that is held to `form`.
fn answer(bench: &Bench, prompt: &str, member: &str, form: &Value) -> Result<String> {
    let mut body = conversations::unreasoned(prompt);
    body["max_tokens"] = MAX_TOKENS.into();
    body[member] = form.clone();
    let answer = bench.gateway.peer.ask(CHAT, &by_tokens(&body));
    let answer = answer.with_context(|| format!("{form}"))?;
    ensure!(answer.finish_reason == "stop", "for {form}: {answer:?}");
    Ok(answer.text)
}

/// Whether a text is of the schema of [`conversations::weather`].
fn is_weather(text: &str) -> bool {
    let fields = serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    let town = fields.get("town").and_then(Value::as_str);
    let days = fields.get("days").and_then(Value::as_u64);
    fields.len() == 2
        && town.is_some_and(|town| ["Oslo", "Zürich"].contains(&town))
        && days.is_some_and(|days| (1..=9).contains(&days))
}

fn is_matched(text: &str) -> bool {
    let is_right = |(at, byte): (usize, u8)| match at {
        0..4 => (b'a'..=b'f').contains(&byte),
        4 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 8 && text.bytes().enumerate().all(is_right)
}
