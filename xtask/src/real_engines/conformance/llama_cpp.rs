//! llama.cpp's server.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::super::MODEL;
use super::super::install::{self, LlamaCpp};
use super::super::process::free_port;
use super::super::run::Bed;
use super::super::vllm::CONTEXT_TOKENS;
use super::bench::Bench;
use super::subject::{Kind, Subject};
use crate::tally::Tally;

const KIND: Kind = Kind {
    name: "llama_cpp",
    in_hand: ["llamacpp:requests_processing", "llamacpp:requests_deferred"],
    streams_ids: false,
};

/// Requests at once, which share the context.
const SLOTS: u64 = 2;

/// Starts the engine and the gateway and runs every check.
pub(in super::super) fn run(bed: &Bed<'_>, tally: &mut Tally) -> Result<()> {
    let installed = install::llama_cpp(bed.store, bed.vllm)?;
    let mut subject = launch(&installed, bed.logs)?;
    subject.wait_until_up()?;
    Bench::start(subject, bed)?.run(None, tally);
    Ok(())
}

fn launch(installed: &LlamaCpp, logs: &Path) -> Result<Subject> {
    let port = free_port()?;
    let mut command = Command::new("nice");
    command
        .args(["-n", "10"])
        .arg(&installed.server)
        .arg("--model")
        .arg(&installed.gguf)
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--alias", MODEL, "--threads", "1"])
        .args(["--ctx-size", &(SLOTS * CONTEXT_TOKENS).to_string()])
        .args(["--parallel", &SLOTS.to_string()])
        .args(["--metrics", "--slots", "--jinja"]);
    Subject::launch(KIND, port, &mut command, logs)
}
