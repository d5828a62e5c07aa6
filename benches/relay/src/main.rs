//! What a relay costs: the gateway beside nginx, in front of engines that answer at once.
//!
//! One run starts two trivial engines (one thread), measures them without any relay (`direct`),
//! then every relay in turn, round after round with the order swapped, all on one machine. CPU per
//! request and per streamed chunk come first, ratios to nginx of the same round second, absolute
//! rates last: the first two survive a busy machine.
//!
//! Scenarios, each with 1 KB and 20 KB chat bodies where it applies:
//! 1. open loop at a fixed rate; latency counts from the moment a request was due, so a stall is not
//!    hidden by the requests it held back;
//! 2. closed loop over 64 connections;
//! 3. 64 concurrent streams of 128 chunks, one every 10 ms, staggered.
//!
//! Every reply is checked: the right one, whole, in order, ended. `--memory` sends a million
//! distinct prompts instead and reads the resident memory.

mod args;
mod clock;
mod engine;
mod fault;
mod http;
mod load;
mod memory;
mod process;
mod report;
mod round;
mod run;
mod stencil;
mod subject;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::Args;
use crate::fault::Fault;

fn main() -> ExitCode {
    let args = Args::parse();
    match start(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            report::complain(&fault);
            ExitCode::FAILURE
        }
    }
}

/// Runs everything on this one thread, so that the load generator never takes a second core.
fn start(args: &Args) -> Result<(), Fault> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Fault::io("start the runtime"))?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Fault::io("watch SIGINT"))?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Fault::io("watch SIGTERM"))?;
        // Dropping the run stops every process it started.
        tokio::select! {
            result = run::run(args) => result,
            _ = interrupt.recv() => Err(Fault::Interrupted),
            _ = terminate.recv() => Err(Fault::Interrupted),
        }
    })
}
