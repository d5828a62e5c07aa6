//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Measures what a relay costs in front of trivial engines, the gateway beside nginx.
#[derive(Debug, Parser)]
#[command(name = "gateway-relay-bench")]
pub(crate) struct Args {
    /// Rounds; every round measures direct and each relay once, and the table holds medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) rounds: u16,
    /// Relays to measure beside direct.
    #[arg(long, value_delimiter = ',', default_value = "nginx,gateway")]
    pub(crate) only: Vec<Relay>,
    /// One round of short scenarios: a check that all works, not a measurement.
    #[arg(long)]
    pub(crate) quick: bool,
    /// The gateway's binary; built with `cargo build --release` when not given.
    #[arg(long)]
    pub(crate) gateway: Option<PathBuf>,
    /// Send distinct prompts and read the memory instead of measuring the relay.
    #[arg(long)]
    pub(crate) memory: bool,
    /// Distinct prompts of the memory run.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) prompts: u64,
    /// The memory run ends after this many seconds even when prompts are left.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) memory_seconds: u64,
    /// Also write the report to this file.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
}

/// A relay under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Relay {
    /// The Debian package `nginx-light`, two workers, kept-alive engine connections.
    Nginx,
    /// This project's gateway: keys checked, default prefix-aware pipeline.
    Gateway,
}

/// How long each scenario of a round runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lengths {
    /// Before anything is measured.
    pub(crate) warm_up: Duration,
    /// Each open-loop and closed-loop scenario.
    pub(crate) scenario: Duration,
    /// Streams one after another in each of the concurrent slots.
    pub(crate) streams_per_slot: usize,
}

impl Args {
    /// Rounds to run.
    pub(crate) fn rounds(&self) -> u16 {
        if self.quick { 1 } else { self.rounds }
    }

    /// Scenario lengths, shorter for `--quick`.
    pub(crate) fn lengths(&self) -> Lengths {
        if self.quick {
            return Lengths {
                warm_up: Duration::from_millis(200),
                scenario: Duration::from_millis(700),
                streams_per_slot: 1,
            };
        }
        Lengths {
            warm_up: Duration::from_millis(500),
            scenario: Duration::from_millis(2_500),
            streams_per_slot: 4,
        }
    }
}
