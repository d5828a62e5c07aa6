//! `real-engines`: two real vLLM servers on the CPU with the gateway in front of them.
//!
//! What is installed (5.5 GB) lies in a cache folder outside the checkout,
//! `$GATEWAY_ENGINES_DIR`, and is kept from one run to the next.

use std::path::Path;

use anyhow::{Context, Result};

use crate::binary;
use crate::host::Stopwatch;
use crate::tally::Tally;

mod checks;
mod gateway;
mod http;
mod install;
mod metrics;
mod model;
mod process;
mod talk;
mod vllm;

use checks::Bench;
use install::Installed;

/// The name that both engines and the gateway serve the tiny model under.
const MODEL: &str = "tiny-qwen3";
/// The same model under a name for which the gateway looks at nothing but who holds the prompt's beginning.
const BY_PREFIX: &str = "tiny-qwen3-by-prefix";
/// The same, served by tokens: the gateway renders, tokenizes and parses.
const BY_TOKENS: &str = "tiny-qwen3-by-tokens";

/// Installs what is missing, starts the engines and the gateway, runs every check, stops all of it.
///
/// # Errors
/// When something cannot be installed, built or started.
pub fn run(root: &Path, tally: &mut Tally) -> Result<()> {
    process::stop_on_signal()?;
    let watch = Stopwatch::start();
    let installed = install::ensure(&root.join("xtask/real-engines"))?;
    println!(
        "engines installed in {} ({:.0?})",
        installed.root.display(),
        watch.elapsed()
    );
    let binary = binary::gateway(root)?;
    println!("gateway built ({:.0?})", watch.elapsed());
    let logs = tempfile::tempdir().context("a folder for configuration and logs")?;
    let failed_before = tally.failed();
    let checked = start_and_check(&installed, &binary, logs.path(), tally);
    println!("checks done ({:.0?})", watch.elapsed());
    if checked.is_err() || tally.failed() > failed_before {
        println!("logs are kept in {}", logs.keep().display());
    }
    checked
}

fn start_and_check(
    installed: &Installed,
    binary: &Path,
    logs: &Path,
    tally: &mut Tally,
) -> Result<()> {
    let watch = Stopwatch::start();
    let engines = vllm::start_pair(installed, logs)?;
    println!("engines up (in {:.0?})", watch.elapsed());
    let gateway = gateway::start(binary, &engines, &installed.model, logs)?;
    Bench { gateway, engines }.run(tally);
    Ok(())
}
