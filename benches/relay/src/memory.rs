//! Resident memory after a great many distinct prompts.

use std::time::Duration;

use crate::args::{Args, Relay};
use crate::fault::Fault;
use crate::load::{Closed, Kind, Prompts, Until, closed_loop};
use crate::round::BODY_SIZES;
use crate::subject::Bench;

/// What the memory run of one relay gave.
#[derive(Debug)]
pub(crate) struct Memory {
    /// After the first good reply, in bytes.
    pub(crate) resident_idle: u64,
    /// After the last, in bytes.
    pub(crate) resident_after: u64,
    /// The load.
    pub(crate) closed: Closed,
}

/// Sends distinct 1 KB prompts over 64 connections until there were enough of them or the time is
/// over.
///
/// # Errors
/// The relay does not start or does not last.
pub(crate) async fn measure(bench: &Bench, relay: Relay, args: &Args) -> Result<Memory, Fault> {
    let prompts = Prompts::new(Kind::Distinct, BODY_SIZES[0], &bench.serials);
    let mut running = bench.start(relay).await?;
    let idle = running.usage();
    let until = Until {
        length: Duration::from_secs(args.memory_seconds),
        requests: args.prompts,
    };
    let closed = closed_loop(&running.target, &prompts, until).await?;
    running.still_runs()?;
    let after = running.usage();
    Ok(Memory {
        resident_idle: idle.resident_bytes,
        resident_after: after.resident_bytes,
        closed,
    })
}
