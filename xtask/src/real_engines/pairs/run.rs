//! Engines and the order of the checks.

use anyhow::Result;

use super::super::process::free_port;
use super::super::run::Bed;
use super::super::vllm::{self, Engine, Setup, SideChannel};
use super::{DECODE, PREFILL, direct};
use crate::host::Stopwatch;
use crate::tally::Tally;

/// The two engines.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) prefill: Engine,
    pub(super) decode: Engine,
}

/// Starts the engines and runs every check.
pub(in super::super) fn run(bed: &Bed<'_>, tally: &mut Tally) -> Result<()> {
    let watch = Stopwatch::start();
    let setups = [(PREFILL, setup()?), (DECODE, setup()?)];
    let [prefill, decode] = vllm::start_all(setups, bed.vllm, bed.logs)?;
    println!("engines up (in {:.0?})", watch.elapsed());
    let bench = Bench { prefill, decode };
    tally.record(
        "answers from handed-over KV cache are the engine's own",
        direct::answers(&bench),
    );
    tally.record(
        "a hand-over that is used twice shows on the engine",
        direct::twice(&bench),
    );
    Ok(())
}

fn setup() -> Result<Setup> {
    Ok(Setup {
        scaled_out: true,
        events: None,
        transfer: Some(SideChannel { port: free_port()? }),
    })
}
