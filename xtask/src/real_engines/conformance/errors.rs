//! What engines refuse, and how callers are told.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::super::checks::{CHAT, COMPLETIONS};
use super::super::vllm::CONTEXT_TOKENS;
use super::super::{BY_TOKENS, MODEL, prompts};
use super::bench::Bench;
use super::ids::{prompt, unreasoned};

/// Beyond any vocabulary; one of them ends some engines.
const NO_TOKEN: u32 = 9_999_999;

/// 400 in the shape of the OpenAI API, whatever the engine's own is, whole and streamed.
pub(super) fn too_long(bench: &Bench) -> Result<String> {
    let mut body = json!({ "max_tokens": 4 });
    body["prompt"] = prompts::random(3000, CONTEXT_TOKENS as usize + 100).into();
    let mut messages = Vec::new();
    for model in [MODEL, BY_TOKENS] {
        for stream in [false, true] {
            body["model"] = model.into();
            body["stream"] = stream.into();
            let (status, reply) = bench.gateway.peer.reply(COMPLETIONS, &body)?;
            ensure!(status == 400, "{model}: {status} {reply}");
            messages.push(message(&reply)?);
        }
    }
    Ok(messages.swap_remove(0))
}

/// A wrong type: the caller learns what was wrong, not where in the engine's sources that was seen.
pub(super) fn malformed(bench: &Bench) -> Result<String> {
    let mut told = String::new();
    // The gateway reads the one itself, by text engines alone read the other.
    for (model, member) in [
        (MODEL, "temperature"),
        (BY_TOKENS, "temperature"),
        (BY_TOKENS, "top_k"),
        (MODEL, "top_k"),
    ] {
        let mut body = unreasoned("Hello.", model);
        body[member] = "warm".into();
        let (status, reply) = bench.gateway.peer.reply(CHAT, &body)?;
        ensure!((400..500).contains(&status), "{model}: {status} {reply}");
        told = message(&reply)?;
        let shown = reply.to_string();
        ensure!(
            !shown.contains(".py") && !shown.contains("site-packages"),
            "{model}: {reply}"
        );
    }
    Ok(told)
}

/// Refused by the gateway, and the engine lives on.
pub(super) fn poisonous(bench: &Bench) -> Result<String> {
    let mut body = prompt(3001, BY_TOKENS);
    body["prompt"] = json!([1, 2, NO_TOKEN]);
    let (status, reply) = bench.gateway.peer.reply(COMPLETIONS, &body)?;
    ensure!(
        status == 400 && reply["error"]["code"] == "token_out_of_vocabulary",
        "{status} {reply}"
    );
    bench
        .subject
        .peer()
        .ask(COMPLETIONS, &prompt(3002, MODEL))?;
    Ok(String::new())
}

/// The message of an error in the shape of the OpenAI API.
fn message(reply: &Value) -> Result<String> {
    let error = &reply["error"];
    let text = error["message"].as_str().unwrap_or_default();
    ensure!(
        !text.is_empty() && error["type"].is_string(),
        "not an error as callers know them: {reply}"
    );
    Ok(text.to_owned())
}
