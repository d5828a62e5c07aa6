//! Two vLLM servers as a fleet.

use anyhow::Result;
use serde_json::{Value, json};

use super::checks::Bench;
use super::process::free_port;
use super::run::Bed;
use super::vllm::{self, CONTEXT_TOKENS, Engine, Events, Setup};
use super::{BY_PREFIX, BY_TOKENS, MODEL, gateway};
use crate::host::Stopwatch;
use crate::tally::Tally;

/// Starts the engines and the gateway and runs every check.
pub(super) fn run(bed: &Bed<'_>, tally: &mut Tally) -> Result<()> {
    let watch = Stopwatch::start();
    let listening = free_port()?;
    let setup = |name: &str, scaled_out| {
        Ok::<_, anyhow::Error>(Setup {
            scaled_out,
            events: Some(Events {
                port: listening,
                replay_port: free_port()?,
                topic: format!("kv@{name}"),
            }),
            ..Setup::default()
        })
    };
    let setups = [("a", setup("a", true)?), ("b", setup("b", false)?)];
    let engines = vllm::start_all(setups, bed.vllm, bed.logs)?;
    println!("engines up (in {:.0?})", watch.elapsed());
    let config = config(&engines, bed);
    let gateway = gateway::start(bed.binary, config, bed.logs)?;
    Bench { gateway, engines }.run(tally);
    Ok(())
}

fn config(engines: &[Engine], bed: &Bed<'_>) -> Value {
    // Looks at nothing but who holds the prompt's beginning.
    let by_prefix =
        json!({ "filters": ["healthy", "serves-model"], "scorers": ["prefix-affinity"] });
    let tokens = json!({ "files": bed.vllm.model, "context_tokens": CONTEXT_TOKENS });
    let endpoints: Vec<Value> = engines.iter().map(endpoint).collect();
    json!({
        "models": [
            { "name": MODEL },
            { "name": BY_PREFIX, "pipeline": by_prefix },
            { "name": BY_TOKENS, "pipeline": by_prefix, "tokens": tokens },
        ],
        "endpoints": endpoints,
    })
}

fn endpoint(engine: &Engine) -> Value {
    let mut endpoint = json!({
        "name": engine.name,
        "url": engine.url,
        "kind": "vllm",
        "models": [MODEL, BY_PREFIX, BY_TOKENS],
    });
    if let Some(events) = &engine.setup.events {
        endpoint["kv_events"] = json!({
            "bind": true,
            "address": format!("tcp://127.0.0.1:{}", events.port),
            "replay": format!("tcp://127.0.0.1:{}", events.replay_port),
            "topic": events.topic,
        });
    }
    endpoint
}
