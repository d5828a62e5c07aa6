//! A model served by tokens: the engines see token ids alone, and what a caller gets is what the engine's own chat makes
//! of the same conversation.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::Bench;
use crate::real_engines::BY_TOKENS;
use crate::tally::Tally;

mod conversations;
mod counts;
mod dialects;
mod forms;
mod logprobs;
mod options;
mod parity;
mod refusals;
mod routes;
mod turns;

type Check = fn(&Bench) -> Result<String>;

const CHECKS: [(&str, Check); 15] = [
    ("chat by tokens as from the engine", parity::whole),
    (
        "chat stream by tokens as the whole answer",
        parity::streamed,
    ),
    ("a stop text by tokens as by the engine", options::stop),
    ("choices by tokens as by the engine", options::choices),
    (
        "log probabilities by tokens as by the engine",
        logprobs::check,
    ),
    ("a bias and a minimum of tokens arrive", options::forced),
    (
        "tokens that no vocabulary has stop at the gateway",
        refusals::check,
    ),
    (
        "each engine is asked on the route that it has",
        routes::check,
    ),
    (
        "structured answers by tokens are of their form",
        forms::structured,
    ),
    ("a call that is required by tokens is made", forms::calls),
    ("Messages say what chat says", dialects::messages),
    ("Responses say what chat says", dialects::responses),
    (
        "prompts are counted as the engine counts them",
        counts::check,
    ),
    ("a second turn finds the first one's cache", turns::second),
    (
        "KV events of the engine's own chat tell of tokens",
        turns::told,
    ),
];

/// Every check of a model that is served by tokens.
pub(super) fn run(bench: &Bench, tally: &mut Tally) {
    for (name, check) in CHECKS {
        tally.record(name, check(bench));
    }
}

/// The same request of the model that is served by tokens.
fn by_tokens(body: &Value) -> Value {
    let mut body = body.clone();
    body["model"] = BY_TOKENS.into();
    body
}

/// That what the engine gives and what comes by tokens are equal.
fn same<T: PartialEq + std::fmt::Debug>(engine: &T, tokens: &T, of: &Value) -> Result<()> {
    ensure!(
        engine == tokens,
        "for {of}\n  engine:    {engine:?}\n  by tokens: {tokens:?}"
    );
    Ok(())
}
