//! Installs, starts, checks, stops.

use std::path::Path;

use anyhow::{Context, Result};

use super::choice::Part;
use super::install::{self, Store};
use super::{Choice, conformance, pairs, process, serving};
use crate::host::Stopwatch;
use crate::tally::Tally;

/// What every part needs.
pub(super) struct Bed<'a> {
    pub(super) store: &'a Store,
    /// The gateway's binary.
    pub(super) binary: &'a Path,
    pub(super) vllm: &'a install::Installed,
    /// The folder of configurations and logs.
    pub(super) logs: &'a Path,
}

/// Runs the chosen parts one after another: installs what is missing, starts engines and the gateway, runs every check,
/// stops all of it. A part that cannot be had or started counts as failed, and the next one is run.
///
/// # Errors
/// When vLLM, whose tools every part needs, or the gateway cannot be had.
pub fn run(root: &Path, choice: &Choice, tally: &mut Tally) -> Result<()> {
    process::stop_on_signal()?;
    let watch = Stopwatch::start();
    let store = Store::open(root.join("xtask/real-engines"))?;
    let vllm = install::vllm(&store)?;
    println!(
        "engines are in {} ({:.0?})",
        store.root.display(),
        watch.elapsed()
    );
    let binary = testkit::gateway_binary()?;
    println!("gateway built ({:.0?})", watch.elapsed());
    for part in Choice::parts() {
        let name = part.name();
        if !choice.takes(part, &store) {
            println!("{name} is left out: `real-engines {name}` or `--all` runs it");
            continue;
        }
        println!("{name}:");
        run_part(part, &store, &binary, &vllm, tally);
        println!("{name} done ({:.0?})", watch.elapsed());
    }
    Ok(())
}

fn run_part(
    part: Part,
    store: &Store,
    binary: &Path,
    vllm: &install::Installed,
    tally: &mut Tally,
) {
    let failed_before = tally.failed();
    let logs = tempfile::tempdir().context("a folder for configuration and logs");
    let logs = match logs {
        Ok(logs) => logs,
        Err(error) => return tally.record(part.name(), Err(error)),
    };
    let bed = Bed {
        store,
        binary,
        vllm,
        logs: logs.path(),
    };
    let ran = match part {
        Part::Vllm => serving::run(&bed, tally),
        Part::Pairs => pairs::run(&bed, tally),
        Part::Sglang => conformance::sglang(&bed, tally),
        Part::LlamaCpp => conformance::llama_cpp(&bed, tally),
    };
    if let Err(error) = ran {
        tally.record(part.name(), Err(error));
    }
    if tally.failed() > failed_before {
        println!("logs are kept in {}", logs.keep().display());
    }
}
