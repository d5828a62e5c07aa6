//! Greedy answers by tokens are the engine's own, token by token.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{by_tokens, conversations, same};
use crate::real_engines::checks::{Bench, CHAT, streamed as as_stream};
use crate::real_engines::talk::Answer;

/// The engine renders with the model's template as well: equal counts of prompt tokens and equal answers mean equal prompts.
pub(super) fn whole(bench: &Bench) -> Result<String> {
    let all = conversations::all();
    let mut prompt_tokens = 0;
    for body in &all {
        let direct = bench.direct().ask(CHAT, body).context("from the engine")?;
        let tokens = by_tokens(body);
        let through = bench.gateway.peer.ask(CHAT, &tokens);
        let through = through.with_context(|| format!("by tokens, of {body}"))?;
        ensure!(
            !direct.token_ids.is_empty(),
            "no token ids from the engine: {direct:?}"
        );
        same(&essence(&direct), &essence(&through), body)?;
        prompt_tokens += direct.usage["prompt_tokens"].as_u64().unwrap_or(0);
    }
    Ok(format!(
        "{} conversations of {prompt_tokens} prompt tokens",
        all.len()
    ))
}

/// A stream adds up to the whole answer.
pub(super) fn streamed(bench: &Bench) -> Result<String> {
    let all = conversations::all();
    for body in &all {
        let whole = bench.gateway.peer.ask(CHAT, &by_tokens(body))?;
        let stream = bench
            .gateway
            .peer
            .stream(CHAT, &as_stream(by_tokens(body)))?;
        let added_up = stream.collect()?;
        ensure!(
            whole == added_up,
            "for {body}\n  whole:  {whole:?}\n  stream: {added_up:?}"
        );
    }
    Ok(format!("{} equal", all.len()))
}

/// What must be equal: text, why it ended, token ids, tokens of prompt and answer.
///
/// The engine runs without a parser for reasoning, so its text is all of it.
pub(super) fn essence(answer: &Answer) -> (String, &str, &[Value], [&Value; 2]) {
    (
        format!("{}{}", answer.reasoning, answer.text),
        &answer.finish_reason,
        &answer.token_ids,
        [
            &answer.usage["prompt_tokens"],
            &answer.usage["completion_tokens"],
        ],
    )
}
