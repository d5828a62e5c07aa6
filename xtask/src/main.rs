//! `cargo xtask COMMAND`: see [`USAGE`].
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore speaks to the person who runs it"
)]

use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::tally::Tally;
use xtask::{check, cmd, guards, real_engines, routing_quality, test};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  check             format, lints, documentation and guards
  test              guards and every test, the Python client's included
  guards            crate borders, word lists, lengths: the checks on the source tree
  real-engines      install and start two vLLM servers, run the gateway in front of them
  routing-quality   play every simulated scenario, write docs/routing-quality.md anew
  ci                check, the fuzz targets, test and real-engines";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [command] = arguments.as_slice() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let mut tally = Tally::default();
    if let Err(error) = run(command, &mut tally) {
        tally.record(command, Err(error));
    }
    println!("{tally}");
    tally.exit_code()
}

fn run(command: &str, tally: &mut Tally) -> Result<()> {
    let root = cmd::workspace_root();
    match command {
        "check" => check::run(&root, tally),
        "test" => test::run(&root, tally)?,
        "guards" => guards::run(&root, tally),
        "real-engines" => real_engines::run(&root, tally)?,
        "routing-quality" => routing_quality::run(&root, tally)?,
        "ci" => {
            check::run(&root, tally);
            check::fuzz_targets(&root, tally);
            test::cargo_tests(&root, tally)?;
            real_engines::run(&root, tally)?;
        }
        _ => bail!("no such command\n{USAGE}"),
    }
    Ok(())
}
