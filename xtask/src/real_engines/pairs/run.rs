//! Engines, gateway and the order of the checks.

use anyhow::Result;
use serde_json::{Value, json};

use super::super::gateway::{self, Gateway};
use super::super::process::free_port;
use super::super::run::Bed;
use super::super::vllm::{self, CONTEXT_TOKENS, Engine, Setup, SideChannel};
use super::super::{BY_TOKENS, MODEL};
use super::{DECODE, PREFILL, direct, kills, through};
use crate::host::Stopwatch;
use crate::tally::Tally;

/// The two engines with the gateway in front of them.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) gateway: Gateway,
    pub(super) prefill: Engine,
    pub(super) decode: Engine,
}

type Check = fn(&mut Bench) -> Result<String>;

/// The first one needs engines that have never met; the last ones kill them.
const CHECKS: [(&str, Check); 11] = [
    (
        "a first contact that times out is served by one engine",
        kills::never_met,
    ),
    (
        "answers from handed-over KV cache are the engine's own",
        |bench| direct::answers(bench),
    ),
    ("a pair by text answers as one engine", |bench| {
        through::by_text(bench)
    }),
    ("a pair by tokens answers as one engine", |bench| {
        through::by_tokens(bench)
    }),
    ("what is streamed by a pair is as one engine's", |bench| {
        through::streamed(bench)
    }),
    (
        "a hand-over that is used twice shows on the engine",
        |bench| direct::twice(bench),
    ),
    (
        "a prefill engine killed before its leg is replaced",
        kills::prefill_before,
    ),
    (
        "a prefill engine killed during its leg is replaced",
        kills::prefill_during,
    ),
    (
        "a prefill engine killed after its leg is replaced",
        kills::prefill_after,
    ),
    (
        "a decode engine killed before its first token is replaced",
        kills::decode_before,
    ),
    (
        "a decode engine killed in mid-stream is replaced",
        kills::decode_mid_stream,
    ),
];

/// Starts engines and gateway and runs every check.
pub(in super::super) fn run(bed: &Bed<'_>, tally: &mut Tally) -> Result<()> {
    let watch = Stopwatch::start();
    let setups = [(PREFILL, setup()?), (DECODE, setup()?)];
    let [prefill, decode] = vllm::start_all(setups, bed.vllm, bed.logs)?;
    println!("engines up (in {:.0?})", watch.elapsed());
    let config = config(&prefill, &decode, bed);
    let mut bench = Bench {
        gateway: gateway::start(bed.binary, config, bed.logs)?,
        prefill,
        decode,
    };
    for (name, check) in CHECKS {
        tally.record(name, check(&mut bench));
    }
    Ok(())
}

fn setup() -> Result<Setup> {
    Ok(Setup {
        scaled_out: true,
        transfer: Some(SideChannel { port: free_port()? }),
        ..Setup::default()
    })
}

/// Every request is split; probes are patient, so that nothing but requests meets frozen engines.
fn config(prefill: &Engine, decode: &Engine, bed: &Bed<'_>) -> Value {
    let endpoint = |engine: &Engine| {
        json!({
            "name": engine.name,
            "url": engine.url,
            "kind": "vllm",
            "models": [MODEL, BY_TOKENS],
            "role": if engine.name == PREFILL { "prefill" } else { "decode" },
            "transfer": { "connector": "nixl" },
        })
    };
    let tokens = json!({ "files": bed.vllm.model, "context_tokens": CONTEXT_TOKENS });
    json!({
        "pipeline": { "split": "always" },
        "models": [{ "name": MODEL }, { "name": BY_TOKENS, "tokens": tokens }],
        "endpoints": [endpoint(prefill), endpoint(decode)],
        "watch": { "probe_timeout": "60s" },
    })
}
