//! The command line: the only place that prints.

mod args;
mod banner;
mod check;
mod decide;
mod demo;
mod hash_key;
mod out;
mod serve;
mod sim_engine;
mod simulate;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};

/// The exit code for a command that makes no sense, as for arguments that cannot be read.
const USAGE: u8 = 2;

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Demo(args) => demo::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Schema => {
            out::line(format_args!("{:#}", crate::config::file::schema()));
            Ok(())
        }
        Command::SimEngine(args) => sim_engine::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Decide(args) => decide::run(&args),
        Command::HashKey(args) => hash_key::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::error(format_args!("{error:#}"));
            if error.is::<simulate::Unusable>() || error.is::<decide::BadLine>() {
                ExitCode::from(USAGE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
