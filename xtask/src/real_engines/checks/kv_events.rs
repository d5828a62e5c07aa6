//! What real engines publish over libzmq reaches the gateway, and requests follow it.
//!
//! Nothing but events can know here: prompts are computed by requests that go straight to an engine, past the gateway.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Bench, COMPLETIONS, gauge};
use crate::host::poll_until;
use crate::real_engines::BY_PREFIX;
use crate::real_engines::talk::Peer;
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
            compute(bench, engine, family(at, prompt))?;
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
    compute(bench, engine, family(1, PROMPTS))?;
    until_exact(bench, engine)?;
    let held = gauge(bench, engine.name, KNOWN);
    ensure!(
        held == Some(BLOCKS as f64),
        "it holds one prompt, not {held:?} blocks"
    );
    let up = || gauge(bench, engine.name, "gateway_endpoint_up").filter(|up| *up > 0.0);
    poll_until(LIMIT, POLL, up).context("the engine is not seen to be up again")?;
    let server = served_by(bench, family(1, PROMPTS))?;
    ensure!(server == engine.name, "served by {server}");
    Ok(format!("{BLOCKS} blocks known of its new life"))
}

/// Sends every prompt that was computed through the gateway.
fn follows(bench: &Bench) -> Result<String> {
    for prompt in 0..PROMPTS {
        for (at, engine) in bench.engines.iter().enumerate().rev() {
            let server = served_by(bench, family(at, prompt))?;
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

/// Has an engine compute a prompt, and waits until the gateway knows.
fn compute(bench: &Bench, engine: &Engine, family: u64) -> Result<()> {
    let before = gauge(bench, engine.name, KNOWN).unwrap_or(0.0);
    Peer::new(&engine.url).ask(COMPLETIONS, &body(family))?;
    let told = || {
        let now = gauge(bench, engine.name, KNOWN)?;
        (now >= before + BLOCKS as f64).then_some(())
    };
    poll_until(LIMIT, POLL, told).with_context(|| {
        let now = gauge(bench, engine.name, KNOWN);
        format!("engine {} had {before} blocks and has {now:?}", engine.name)
    })?;
    Ok(())
}

/// The engine on which the prompt sent through the gateway found its blocks.
fn served_by(bench: &Bench, family: u64) -> Result<&'static str> {
    let hits = |engine: &Engine| Ok::<_, anyhow::Error>(engine.metrics()?.sum(HITS));
    let mut before = Vec::new();
    for engine in &bench.engines {
        before.push(hits(engine)?);
    }
    bench.gateway.peer.ask(COMPLETIONS, &body(family))?;
    for (engine, before) in bench.engines.iter().zip(before) {
        // The last token's block is computed again.
        if hits(engine)? - before >= ((BLOCKS - 1) * BLOCK_TOKENS) as f64 {
            return Ok(engine.name);
        }
    }
    Ok("an engine that had to compute it")
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

fn family(engine: usize, prompt: u64) -> u64 {
    engine as u64 * 100 + prompt
}

/// A prompt of token ids that shares no block with another family's.
fn body(family: u64) -> Value {
    let tokens: Vec<u64> = (0..=BLOCKS * BLOCK_TOKENS)
        .map(|at| 1_000 + family * 131 + at % 97)
        .collect();
    json!({ "model": BY_PREFIX, "prompt": tokens, "max_tokens": 1, "temperature": 0 })
}
