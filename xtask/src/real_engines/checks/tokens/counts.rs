//! The gateway counts the tokens of a prompt as the engine does.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{by_tokens, conversations, same};
use crate::real_engines::BY_TOKENS;
use crate::real_engines::checks::Bench;

const TOKENIZE: &str = "/tokenize";
const COUNT: &str = "/v1/messages/count_tokens";

pub(super) fn check(bench: &Bench) -> Result<String> {
    let mut tokens = 0;
    let all = conversations::all();
    for body in &all {
        let direct = bench.direct().json(TOKENIZE, body)?;
        let through = bench.gateway.peer.json(TOKENIZE, &by_tokens(body))?;
        same(&direct["count"], &through["count"], body)?;
        same(&direct["tokens"], &through["tokens"], body)?;
        tokens += through["count"].as_u64().context("no count")?;
    }
    let messages = json!([conversations::user("How many tokens are these?")]);
    let by_chat = json!({ "model": BY_TOKENS, "messages": messages });
    let direct: Value = bench.direct().json(TOKENIZE, &by_chat)?;
    let through = bench.gateway.peer.json(COUNT, &by_chat)?;
    same(&direct["count"], &through["input_tokens"], &by_chat)?;
    Ok(format!("{tokens} tokens of {} conversations", all.len()))
}
