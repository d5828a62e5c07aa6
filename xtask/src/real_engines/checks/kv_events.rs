//! What real engines publish over libzmq reaches the gateway, and requests follow it.
//!
//! Nothing but events can know here: prompts are computed by requests that go straight to an engine, past the gateway.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Bench, CHAT, COMPLETIONS, gauge};
use crate::host::poll_until;
use crate::real_engines::BY_PREFIX;
use crate::real_engines::talk::Answer;
use crate::real_engines::vllm::{BLOCK_TOKENS, Engine};

const LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);
/// Prompts for each engine: by chance alone, one run in 64 would pass.
const PROMPTS: u64 = 3;
/// Blocks of each prompt, the engine's own.
const BLOCKS: u64 = 40;
const HITS: &str = "vllm:prefix_cache_hits_total";
const KNOWN: &str = "gateway_kv_feed_blocks";
const REPLAYS: &str = "gateway_kv_feed_replays_total";

/// Prompts that one engine was asked directly are then routed to it.
pub(super) fn told(bench: &Bench) -> Result<String> {
    for engine in &bench.engines {
        until_exact(bench, engine)?;
    }
    for prompt in 0..PROMPTS {
        for (at, engine) in bench.engines.iter().enumerate() {
            compute(bench, engine, &family(at, prompt))?;
        }
    }
    follows(bench)
}

/// A gateway that starts after the events asks for them.
pub(super) fn replayed(bench: &mut Bench) -> Result<String> {
    let before = known(bench)?;
    bench.gateway.restart()?;
    for engine in &bench.engines {
        until_exact(bench, engine)?;
    }
    let (after, took) = poll_until(LIMIT, POLL, || {
        known(bench).ok().filter(|after| *after == before)
    })
    .with_context(|| format!("of {before:?} engine blocks it knows {:?}", known(bench)))?;
    let metrics = bench.gateway.metrics()?;
    ensure!(metrics.sum(REPLAYS) >= 2.0, "no replay was asked for");
    Ok(format!(
        "{after:?} engine blocks known again {took:.0?} after the start; {}",
        follows(bench)?
    ))
}

/// An engine that was killed and started again: what it had told is forgotten, what it tells now counts.
pub(super) fn started_again(bench: &mut Bench) -> Result<String> {
    let gone = || (gauge(bench, "b", KNOWN)? < 1.0).then_some(());
    poll_until(LIMIT, POLL, gone).context("a dead engine is still thought to hold blocks")?;
    bench.engines[1].start_again()?;
    let engine = &bench.engines[1];
    compute(bench, engine, &family(1, PROMPTS))?;
    until_exact(bench, engine)?;
    let held = gauge(bench, engine.name, KNOWN);
    ensure!(
        held == Some(BLOCKS as f64),
        "it holds one prompt, not {held:?} blocks"
    );
    let up = || gauge(bench, engine.name, "gateway_endpoint_up").filter(|up| *up > 0.0);
    poll_until(LIMIT, POLL, up).context("the engine is not seen to be up again")?;
    let server = served_by(bench, &family(1, PROMPTS))?;
    ensure!(server == engine.name, "served by {server}");
    Ok(format!("{BLOCKS} blocks known of its new life"))
}

/// Sends every prompt that was computed through the gateway.
fn follows(bench: &Bench) -> Result<String> {
    for prompt in 0..PROMPTS {
        for (at, engine) in bench.engines.iter().enumerate().rev() {
            let server = served_by(bench, &family(at, prompt))?;
            ensure!(
                server == engine.name,
                "prompt {prompt} of engine {} was served by {server}",
                engine.name
            );
        }
    }
    Ok(format!(
        "{} prompts found their engine",
        PROMPTS * bench.engines.len() as u64
    ))
}

/// A request whose prompt is known by its blocks.
pub(super) struct Prompt {
    path: &'static str,
    body: Value,
}

impl Prompt {
    /// A chat.
    pub(super) fn chat(body: Value) -> Self {
        Self { path: CHAT, body }
    }
}

/// Has an engine compute a prompt that it does not hold, and waits until the gateway knows all its blocks.
pub(super) fn compute(bench: &Bench, engine: &Engine, prompt: &Prompt) -> Result<()> {
    let before = gauge(bench, engine.name, KNOWN).unwrap_or(0.0);
    let answer = engine.peer().ask(prompt.path, &prompt.body)?;
    let blocks = (tokens(&answer)? / BLOCK_TOKENS) as f64;
    let told = || {
        let now = gauge(bench, engine.name, KNOWN)?;
        (now >= before + blocks).then_some(())
    };
    poll_until(LIMIT, POLL, told).with_context(|| {
        let now = gauge(bench, engine.name, KNOWN);
        format!(
            "engine {} had {before} blocks and has {now:?}, not {blocks} more",
            engine.name
        )
    })?;
    Ok(())
}

/// The engine on which the prompt sent through the gateway found its blocks.
pub(super) fn served_by(bench: &Bench, prompt: &Prompt) -> Result<&'static str> {
    let hits = |engine: &Engine| Ok::<_, anyhow::Error>(engine.metrics()?.sum(HITS));
    let mut before = Vec::new();
    for engine in &bench.engines {
        before.push(hits(engine)?);
    }
    let answer = bench.gateway.peer.ask(prompt.path, &prompt.body)?;
    // The last token's block is computed again.
    let held = tokens(&answer)? / BLOCK_TOKENS - 1;
    for (engine, before) in bench.engines.iter().zip(before) {
        if hits(engine)? - before >= (held * BLOCK_TOKENS) as f64 {
            return Ok(engine.name);
        }
    }
    Ok("an engine that had to compute it")
}

fn tokens(answer: &Answer) -> Result<u64> {
    let tokens = answer.usage["prompt_tokens"].as_u64();
    tokens.with_context(|| format!("no prompt tokens in {answer:?}"))
}

fn until_exact(bench: &Bench, engine: &Engine) -> Result<()> {
    let is_exact = || {
        let metrics = bench.gateway.metrics().ok()?;
        let trusts = metrics.labelled("endpoint", engine.name);
        trusts
            .filter(|sample| sample.name == "gateway_endpoint_kv_trust" && sample.value > 0.0)
            .any(|sample| sample.labels.contains("trust=\"exact\""))
            .then_some(())
    };
    poll_until(LIMIT, POLL, is_exact)
        .with_context(|| format!("the feed of engine {} is not trusted", engine.name))?;
    Ok(())
}

/// Engine blocks known of both engines.
fn known(bench: &Bench) -> Result<[f64; 2]> {
    let of = |at: usize| gauge(bench, bench.engines[at].name, KNOWN).context("no such gauge");
    Ok([of(0)?, of(1)?])
}

/// A prompt of token ids that shares no block with another one's.
fn family(engine: usize, prompt: u64) -> Prompt {
    let family = engine as u64 * 100 + prompt;
    let tokens: Vec<u64> = (0..=BLOCKS * BLOCK_TOKENS)
        .map(|at| 1_000 + family * 131 + at % 97)
        .collect();
    Prompt {
        path: COMPLETIONS,
        body: json!({ "model": BY_PREFIX, "prompt": tokens, "max_tokens": 1, "temperature": 0 }),
    }
}
