//! SGLang, with vLLM beside it: the same weights, so the same greedy answers.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::super::MODEL;
use super::super::install::{self, Installed};
use super::super::process::free_port;
use super::super::run::Bed;
use super::super::vllm::{self, CONTEXT_TOKENS, Setup};
use super::bench::Bench;
use super::subject::{Kind, Subject};
use crate::host::Stopwatch;
use crate::tally::Tally;

const KIND: Kind = Kind {
    name: "sglang",
    in_hand: ["sglang:num_running_reqs", "sglang:num_queue_reqs"],
    streams_ids: true,
};

/// Starts both engines and the gateway and runs every check.
pub(in super::super) fn run(bed: &Bed<'_>, tally: &mut Tally) -> Result<()> {
    let installed = install::sglang(bed.store, bed.vllm)?;
    let watch = Stopwatch::start();
    let mut subject = launch(&installed, bed.logs)?;
    let precise = Setup {
        is_precise: true,
        ..Setup::default()
    };
    let [beside] = vllm::start_all([("vllm", precise)], bed.vllm, bed.logs)?;
    subject.wait_until_up()?;
    println!("engines up (in {:.0?})", watch.elapsed());
    Bench::start(subject, bed)?.run(Some(&beside), tally);
    Ok(())
}

fn launch(installed: &Installed, logs: &Path) -> Result<Subject> {
    let port = free_port()?;
    let mut command = Command::new("nice");
    command
        .args(["-n", "10"])
        .arg(installed.venv.python())
        .args(["-m", "sglang.launch_server", "--model-path"])
        .arg(&installed.model)
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--served-model-name", MODEL, "--device", "cpu"])
        .args(["--dtype", "float32", "--attention-backend", "torch_native"])
        .args([
            "--sampling-backend",
            "pytorch",
            "--disable-overlap-schedule",
        ])
        .args(["--page-size", "16", "--max-total-tokens", "8192"])
        .args(["--context-length", &CONTEXT_TOKENS.to_string()])
        .args([
            "--max-running-requests",
            "16",
            "--mem-fraction-static",
            "0.2",
        ])
        .args([
            "--skip-server-warmup",
            "--enable-metrics",
            "--enable-cache-report",
        ])
        .env("SGLANG_USE_CPU_ENGINE", "1")
        .env("HF_HUB_OFFLINE", "1")
        .env("TRANSFORMERS_OFFLINE", "1")
        .env("TORCHDYNAMO_DISABLE", "1")
        .env("OMP_NUM_THREADS", "1");
    Subject::launch(KIND, port, &mut command, logs)
}
