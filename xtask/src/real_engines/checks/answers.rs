//! Through the gateway comes the answer that the engine gives.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{CHAT, COMPLETIONS, MODEL, streamed};
use crate::real_engines::talk::{Answer, Peer, Sides};

const PROMPTS: [&str; 5] = [
    "Name three rivers.",
    "Wie spät ist es in Zürich?",
    "写一首关于秋天的诗",
    "Count: 1, 2, 3,",
    "emoji 🦀🦀 and a \"quote\" \\ with \n a new line",
];

const MAX_TOKENS: u32 = 24;

type Ask = fn(&Peer, &Value) -> Result<Answer>;

fn chat_bodies() -> Vec<Value> {
    PROMPTS
        .iter()
        .map(|prompt| super::chat(prompt, MAX_TOKENS))
        .collect()
}

fn completion_bodies() -> Vec<Value> {
    PROMPTS
        .iter()
        .map(|prompt| json!({ "model": MODEL, "prompt": prompt, "max_tokens": MAX_TOKENS, "temperature": 0 }))
        .collect()
}

pub(in super::super) fn chat(sides: &Sides) -> Result<String> {
    compare(sides, chat_bodies(), |peer, body| peer.ask(CHAT, body))
}

pub(in super::super) fn chat_stream(sides: &Sides) -> Result<String> {
    let bodies = chat_bodies().into_iter().map(streamed).collect();
    compare(sides, bodies, |peer, body| {
        peer.stream(CHAT, body)?.collect()
    })
}

pub(in super::super) fn completions(sides: &Sides) -> Result<String> {
    compare(sides, completion_bodies(), |peer, body| {
        peer.ask(COMPLETIONS, body)
    })
}

pub(in super::super) fn completions_stream(sides: &Sides) -> Result<String> {
    let bodies = completion_bodies().into_iter().map(streamed).collect();
    compare(sides, bodies, |peer, body| {
        peer.stream(COMPLETIONS, body)?.collect()
    })
}

/// Asks each body directly and through the gateway, once to the token limit and once to a stop string.
fn compare(sides: &Sides, bodies: Vec<Value>, ask: Ask) -> Result<String> {
    let mut finished = Vec::new();
    for body in bodies {
        let to_limit = same(sides, &body, ask)?;
        let mut stopping = body;
        stopping["stop"] = json!([stop_string(&to_limit)?]);
        let to_stop = same(sides, &stopping, ask)?;
        finished.extend([to_limit.finish_reason, to_stop.finish_reason]);
    }
    let count = |reason: &str| finished.iter().filter(|found| *found == reason).count();
    let (length, stop) = (count("length"), count("stop"));
    ensure!(
        length > 0 && stop > 0,
        "finish reasons were {finished:?}: both length and stop are wanted"
    );
    Ok(format!(
        "{} equal ({length} length, {stop} stop)",
        finished.len()
    ))
}

fn same(sides: &Sides, body: &Value, ask: Ask) -> Result<Answer> {
    let direct = ask(&sides.direct, body).context("from the engine")?;
    let through = ask(&sides.through, body).context("through the gateway")?;
    ensure!(
        direct == through,
        "for {body}\n  engine:  {direct:?}\n  gateway: {through:?}"
    );
    ensure!(
        direct.usage["completion_tokens"].as_u64() > Some(0),
        "no usage in {direct:?}"
    );
    Ok(through)
}

/// A letter from the middle of the answer, so that the same prompt stops there.
pub(super) fn stop_string(answer: &Answer) -> Result<String> {
    let letters: Vec<char> = answer
        .text
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect();
    let middle = letters
        .get(letters.len() / 2)
        .context("an answer without letters")?;
    Ok(middle.to_string())
}
