//! What callers are told of tokens, and what caches may change: nothing but their count.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::super::checks::{CHAT, COMPLETIONS, streamed};
use super::super::{BY_TOKENS, MODEL, prompts};
use super::bench::Bench;
use super::ids::{prompt, unreasoned};

/// Long enough to be found again by engines of any block size.
const LONG: usize = 600;

/// The second answer comes from the cache, says so, and is the same.
pub(super) fn repeated(bench: &Bench) -> Result<String> {
    let mut figures = Vec::new();
    for (number, model) in [(2000, MODEL), (2001, BY_TOKENS)] {
        let mut body = prompt(number, model);
        body["prompt"] = prompts::random(number, LONG).into();
        let first = bench.gateway.peer.json(COMPLETIONS, &body)?;
        let second = bench.gateway.peer.json(COMPLETIONS, &body)?;
        let text = |reply: &Value| reply["choices"][0]["text"].clone();
        ensure!(
            text(&first) == text(&second) && text(&first).is_string(),
            "{model}\n  computed: {first}\n  cached:   {second}"
        );
        let cached = second["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64();
        let cached = cached.with_context(|| format!("no cached tokens: {}", second["usage"]))?;
        ensure!(
            2 * cached > LONG as u64,
            "{cached} of {LONG} tokens were cached of {model}"
        );
        figures.push(format!("{cached} of {LONG}"));
    }
    Ok(format!(
        "cached by text and by tokens: {}",
        figures.join(", ")
    ))
}

/// As many as were asked for, in whole answers and at the end of streams.
pub(super) fn counted(bench: &Bench) -> Result<String> {
    for model in [MODEL, BY_TOKENS] {
        let mut body = unreasoned("Count.", model);
        body["max_tokens"] = 5.into();
        body["ignore_eos"] = true.into();
        let whole = bench.gateway.peer.ask(CHAT, &body)?;
        let stream = bench.gateway.peer.stream(CHAT, &streamed(body))?;
        let stream = stream.collect()?;
        for usage in [&whole.usage, &stream.usage] {
            let of = |name: &str| usage[name].as_u64().unwrap_or(0);
            ensure!(
                of("completion_tokens") == 5
                    && of("prompt_tokens") > 5
                    && of("total_tokens") == of("prompt_tokens") + 5,
                "of {model}: {usage}"
            );
        }
    }
    Ok("whole and streamed, by text and by tokens".into())
}
