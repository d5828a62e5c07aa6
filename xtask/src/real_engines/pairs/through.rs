//! Pairs that the gateway makes, with nothing in their way.

use anyhow::{Result, ensure};

use super::super::checks::streamed as as_stream;
use super::super::{BY_TOKENS, MODEL};
use super::asked::{Asked, COMPLETIONS, MAX_TOKENS};
use super::counts::Counts;
use super::run::Bench;

const PROMPTS: u64 = 20;

pub(super) fn by_text(bench: &Bench) -> Result<String> {
    whole(bench, MODEL, 1_000)
}

pub(super) fn by_tokens(bench: &Bench) -> Result<String> {
    whole(bench, BY_TOKENS, 2_000)
}

fn whole(bench: &Bench, model: &str, first: u64) -> Result<String> {
    split(bench, model, first, |asked| {
        let (answer, pair) = bench.gateway.peer.ask_pair(COMPLETIONS, &asked.body)?;
        asked.is_answered_by(&answer)?;
        Ok(pair)
    })
}

/// By text and by tokens in turn.
pub(super) fn streamed(bench: &Bench) -> Result<String> {
    let stream = |asked: Asked| {
        let stream = bench
            .gateway
            .peer
            .stream(COMPLETIONS, &as_stream(asked.body.clone()))?;
        let pair = stream.pair.clone();
        asked.is_answered_by(&stream.collect()?)?;
        Ok(pair)
    };
    let text = split(bench, MODEL, 3_000, stream)?;
    Ok(format!(
        "{text}; by tokens {}",
        split(bench, BY_TOKENS, 4_000, stream)?
    ))
}

/// Asks prompts from number `first` on; each must be split, and each hand-over read once.
fn split(
    bench: &Bench,
    model: &str,
    first: u64,
    ask: impl Fn(Asked) -> Result<String>,
) -> Result<String> {
    let prompts: Result<Vec<Asked>> = (first..first + PROMPTS)
        .map(|number| Asked::new(bench, number, MAX_TOKENS))
        .collect();
    let prompts = prompts?;
    let before = Counts::read(bench)?;
    for asked in prompts {
        let pair = ask(asked.of_model(model))?;
        ensure!(
            pair.starts_with("split") && pair.contains("p>d"),
            "not split between them: {pair}"
        );
    }
    let counts = Counts::read(bench)?.since(before);
    let once = PROMPTS as f64;
    ensure!(
        counts.read == once && counts.stale == 0.0 && counts.answered == [once, once],
        "{PROMPTS} requests, but {counts:?}"
    );
    Ok(format!(
        "{PROMPTS} of {PROMPTS} equal, each handed over once, {} bytes",
        counts.bytes
    ))
}
