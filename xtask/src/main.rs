//! `cargo xtask COMMAND`: see [`USAGE`].
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore speaks to the person who runs it"
)]

use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::real_engines::Choice;
use xtask::tally::Tally;
use xtask::{check, cmd, guards, real_engines, routing_quality, test};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  check             format, lints, documentation and guards
  test              guards and every test, the Python client's included
  guards            crate borders, word lists, lengths: the checks on the source tree
  real-engines [PART...]
                    install and start real engines, run the gateway in front of them; parts are
                    vllm, pairs (of prefill and decode), sglang and llama-cpp, or --all of them;
                    without any, the vLLM parts and what else is installed
  routing-quality   play every simulated scenario, write docs/routing-quality.md anew
  ci                check, the fuzz targets, test and real-engines";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = arguments.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let mut tally = Tally::default();
    if let Err(error) = run(command, rest, &mut tally) {
        tally.record(command, Err(error));
    }
    println!("{tally}");
    tally.exit_code()
}

fn run(command: &str, rest: &[String], tally: &mut Tally) -> Result<()> {
    let root = cmd::workspace_root();
    if command != "real-engines" && !rest.is_empty() {
        bail!("{command} takes no arguments\n{USAGE}");
    }
    match command {
        "check" => check::run(&root, tally),
        "test" => test::run(&root, tally)?,
        "guards" => guards::run(&root, tally),
        "real-engines" => real_engines::run(&root, &Choice::parse(rest)?, tally)?,
        "routing-quality" => routing_quality::run(&root, tally)?,
        "ci" => {
            check::run(&root, tally);
            check::fuzz_targets(&root, tally);
            test::cargo_tests(&root, tally)?;
            real_engines::run(&root, &Choice::default(), tally)?;
        }
        _ => bail!("no such command\n{USAGE}"),
    }
    Ok(())
}
