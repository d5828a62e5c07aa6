//! Stops, choices, biases and minimums by tokens.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{by_tokens, conversations, parity::essence, same};
use crate::real_engines::checks::{Bench, CHAT, answers, streamed};

/// `<|im_end|>`, with which the model ends an answer.
const END: &str = "151645";
/// A word that is one token.
const WORD: (&str, &str) = ("9707", "Hello");
/// Outweighs everything that the model itself prefers.
const FORCE: u32 = 100;

/// Stopped by the engine's own chat and by the gateway at the same letter, whole and streamed.
pub(super) fn stop(bench: &Bench) -> Result<String> {
    let mut stops = Vec::new();
    for prompt in ["Name three rivers.", "Und drei Seen?", "写一首关于秋天的诗"] {
        let mut body = conversations::unreasoned(prompt);
        let unstopped = bench.direct().ask(CHAT, &body)?;
        let stop = answers::stop_string(&unstopped)?;
        body["stop"] = json!([stop]);
        stops.push(stop);
        let direct = bench.direct().ask(CHAT, &body)?;
        ensure!(direct.finish_reason == "stop", "not stopped: {direct:?}");
        let peer = &bench.gateway.peer;
        let whole = peer.ask(CHAT, &by_tokens(&body))?;
        same(&essence(&direct), &essence(&whole), &body)?;
        let stream = peer.stream(CHAT, &streamed(by_tokens(&body)))?;
        same(&essence(&direct), &essence(&stream.collect()?), &body)?;
    }
    Ok(format!("at {stops:?}"))
}

/// Sampled with a seed, each choice is the engine's own.
pub(super) fn choices(bench: &Bench) -> Result<String> {
    let mut body = conversations::unreasoned("Name three rivers.");
    body["temperature"] = json!(1);
    body["seed"] = json!(7);
    body["n"] = json!(3);
    let direct = bench.direct().json(CHAT, &body)?;
    let through = bench.gateway.peer.json(CHAT, &by_tokens(&body))?;
    let ids = |reply: &Value| -> Vec<Value> {
        let choices = reply["choices"].as_array().cloned().unwrap_or_default();
        choices
            .iter()
            .map(|choice| choice["token_ids"].clone())
            .collect()
    };
    let found = ids(&through);
    ensure!(
        found.len() == 3 && found[0] != found[1] && found[1] != found[2],
        "three different choices are wanted: {through}"
    );
    same(&ids(&direct), &found, &body)?;
    let tokens = |reply: &Value| reply["usage"]["completion_tokens"].as_u64();
    same(&tokens(&direct), &tokens(&through), &body)?;
    Ok(format!("{} equal", found.len()))
}

/// One biased token makes the whole answer; the end, biased, comes as soon as it may.
pub(super) fn forced(bench: &Bench) -> Result<String> {
    let mut body = conversations::unreasoned("Name three rivers.");
    body["max_tokens"] = json!(6);
    body["logit_bias"] = json!({ WORD.0: FORCE });
    let answer = bench.gateway.peer.ask(CHAT, &by_tokens(&body))?;
    ensure!(
        answer.text == WORD.1.repeat(6) && answer.finish_reason == "length",
        "{answer:?}"
    );
    body["max_tokens"] = json!(24);
    body["min_tokens"] = json!(5);
    body["logit_bias"] = json!({ END: FORCE });
    let direct = bench.direct().ask(CHAT, &body)?;
    let through = bench.gateway.peer.ask(CHAT, &by_tokens(&body))?;
    ensure!(through.finish_reason == "stop", "{through:?}");
    let made = through.usage["completion_tokens"].as_u64();
    let made = made.context("no usage")?;
    ensure!(
        made == 6,
        "five tokens and the end, not {made}: {through:?}"
    );
    same(&essence(&direct), &essence(&through), &body)?;
    Ok(format!("{} six times; {made} tokens to the end", WORD.1))
}
