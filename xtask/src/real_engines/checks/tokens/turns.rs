//! Conversations find the engine that holds what was said before.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{by_tokens, conversations};
use crate::real_engines::checks::kv_events::{self, Prompt};
use crate::real_engines::checks::{Bench, CHAT};
use crate::real_engines::vllm::{BLOCK_TOKENS, Engine};

/// Conversations: by chance alone, one run in 64 would pass.
const CONVERSATIONS: u64 = 6;
/// More than a block, so that what the first answer added is worth finding too.
const ANSWER_TOKENS: u64 = BLOCK_TOKENS + 8;

/// The second turn is served where the first one was, out of its cache, and the caller is told.
pub(super) fn second(bench: &Bench) -> Result<String> {
    let mut figures = Vec::new();
    for number in 0..CONVERSATIONS {
        let mut body = by_tokens(&long(number));
        body["max_tokens"] = ANSWER_TOKENS.into();
        let first = bench.gateway.peer.json(CHAT, &body)?;
        let said = &first["choices"][0]["message"]["content"];
        let messages = body["messages"].as_array_mut().context("no messages")?;
        messages.push(json!({ "role": "assistant", "content": said }));
        messages.push(conversations::user("And then?"));
        let second = bench.gateway.peer.json(CHAT, &body)?;
        let known = first["usage"]["prompt_tokens"].as_u64().unwrap_or(0);
        let cached = second["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64();
        let cached = cached.with_context(|| format!("no cached tokens: {}", second["usage"]))?;
        // What the template writes after the last message is another thing in the next turn.
        ensure!(
            cached + 2 * BLOCK_TOKENS > known,
            "conversation {number}: {cached} of {known} tokens were cached"
        );
        figures.push(format!("{cached} of {known}"));
    }
    Ok(figures.join(", "))
}

/// Conversations that an engine served past the gateway are found by the events of its cache: the tokens it tells of are
/// the ones that the gateway makes.
pub(super) fn told(bench: &Bench) -> Result<String> {
    let prompts: Vec<(Prompt, Prompt)> = (CONVERSATIONS..2 * CONVERSATIONS)
        .map(|number| {
            let direct = long(number);
            let through = by_tokens(&direct);
            (Prompt::chat(direct), Prompt::chat(through))
        })
        .collect();
    for (at, (direct, _)) in prompts.iter().enumerate() {
        kv_events::compute(bench, engine_of(bench, at), direct)?;
    }
    for (at, (_, through)) in prompts.iter().enumerate().rev() {
        let server = kv_events::served_by(bench, through)?;
        ensure!(
            server == engine_of(bench, at).name,
            "conversation {at} was served by {server}"
        );
    }
    Ok(format!(
        "{} conversations found their engine",
        prompts.len()
    ))
}

fn engine_of(bench: &Bench, conversation: usize) -> &Engine {
    &bench.engines[conversation % bench.engines.len()]
}

/// A conversation of many blocks that no other number shares.
fn long(number: u64) -> Value {
    let mut text = format!("Story {number}. ");
    for row in 0..60 {
        text.push_str(&format!(
            "In {row} there were {}. ",
            (row * 7919 + number) % 1000
        ));
    }
    let mut body = conversations::unreasoned(&text);
    body["max_tokens"] = 1.into();
    body
}
