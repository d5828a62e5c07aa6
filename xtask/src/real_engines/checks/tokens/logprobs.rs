//! Log probabilities by tokens are the engine's own, whichever route they come by.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{by_tokens, conversations, same};
use crate::real_engines::checks::{Bench, CHAT};

const TOP: usize = 3;
/// Two engines may add up in another order.
const TOLERANCE: f64 = 0.05;

pub(super) fn check(bench: &Bench) -> Result<String> {
    let mut positions = 0;
    for prompt in ["Name three rivers.", "Four lakes?", "Und fünf Berge?", "写"] {
        let mut body = conversations::unreasoned(prompt);
        body["logprobs"] = json!(true);
        body["top_logprobs"] = json!(TOP);
        let direct = told(&bench.direct().json(CHAT, &body)?)?;
        let through = told(&bench.gateway.peer.json(CHAT, &by_tokens(&body))?)?;
        same(&direct.len(), &through.len(), &body)?;
        for (direct, through) in direct.iter().zip(&through) {
            near(direct, through)?;
            let (ours, theirs) = (alternatives(through)?, alternatives(direct)?);
            ensure!(
                ours.len() == TOP && theirs.len() == TOP,
                "{TOP} alternatives are wanted: {direct} {through}"
            );
            ours.iter()
                .zip(theirs)
                .try_for_each(|(ours, theirs)| near(theirs, ours))?;
        }
        positions += through.len();
    }
    Ok(format!("{positions} positions, {TOP} alternatives each"))
}

fn told(reply: &Value) -> Result<Vec<Value>> {
    let positions = reply["choices"][0]["logprobs"]["content"].as_array();
    let positions = positions.filter(|positions| !positions.is_empty());
    positions
        .cloned()
        .with_context(|| format!("no log probabilities in {reply}"))
}

fn alternatives(position: &Value) -> Result<&Vec<Value>> {
    let alternatives = position["top_logprobs"].as_array();
    alternatives.with_context(|| format!("no alternatives in {position}"))
}

/// The same token with about the same log probability. The engine shows nothing of a token that is part of a character;
/// the gateway shows its bytes.
fn near(engine: &Value, tokens: &Value) -> Result<()> {
    let logprob = |of: &Value| of["logprob"].as_f64().unwrap_or(f64::NAN);
    let text = tokens["token"].as_str().unwrap_or_default();
    let is_part = text.contains(char::REPLACEMENT_CHARACTER);
    let is_same = engine["token"] == tokens["token"] && engine["bytes"] == tokens["bytes"];
    ensure!(
        (logprob(engine) - logprob(tokens)).abs() < TOLERANCE && (is_same || is_part),
        "engine: {engine}, by tokens: {tokens}"
    );
    Ok(())
}
