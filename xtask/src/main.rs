//! `cargo xtask COMMAND`: see [`USAGE`].
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore speaks to the person who runs it"
)]

use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::tally::Tally;
use xtask::{check, cmd, guards, real_engines, test};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  check          format, lints, documentation and guards
  test           guards and every test, the Python client's included
  guards         crate borders, word lists, lengths: the checks on the source tree
  real-engines   install and start two vLLM servers, run the gateway in front of them
  ci             check, test and real-engines";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(tally) => {
            println!("{tally}");
            tally.exit_code()
        }
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &[String]) -> Result<Tally> {
    let root = cmd::workspace_root();
    let mut tally = Tally::default();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["check"] => check::run(&root, &mut tally),
        ["test"] => test::run(&root, &mut tally)?,
        ["guards"] => guards::run(&root, &mut tally),
        ["real-engines"] => real_engines::run(&root, &mut tally)?,
        ["ci"] => {
            check::run(&root, &mut tally);
            test::cargo_tests(&root, &mut tally)?;
            real_engines::run(&root, &mut tally)?;
        }
        _ => bail!("unknown command {args:?}\n{USAGE}"),
    }
    Ok(tally)
}
