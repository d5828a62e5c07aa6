//! `test`: the guards and every test of the workspace.
//!
//! The fuzz corpora and the Python client are ordinary tests of their crates; a part that
//! cannot be had (no Python, no package) fails its test, it is never skipped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::tally::Tally;
use crate::{cmd, guards};

/// Guards first (seconds), then everything else.
///
/// # Errors
/// When cargo cannot be started or the tests do not build.
pub fn run(root: &Path, tally: &mut Tally) -> Result<()> {
    guards::run(root, tally);
    cargo_tests(root, tally)
}

/// `cargo test --workspace` with doctests, its output passed on and its counts added up.
///
/// # Errors
/// When cargo cannot be started or the tests do not build.
pub fn cargo_tests(root: &Path, tally: &mut Tally) -> Result<()> {
    let mut command = cmd::cargo(root);
    command
        .args(["test", "--workspace", "--no-fail-fast"])
        .stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot start cargo test")?;
    let stdout = child.stdout.take().expect("stdout was piped above");
    let mut suites = 0;
    for line in BufReader::new(stdout).lines() {
        let line = line.context("output of cargo test")?;
        println!("{line}");
        if let Some((passed, failed)) = counts(&line) {
            suites += 1;
            tally.add(passed, failed);
        }
    }
    let status = child.wait().context("waiting for cargo test")?;
    if suites == 0 {
        bail!("cargo test ran no tests ({status})");
    }
    // A suite that dies (abort, stack overflow) prints no counts: its failure must not be lost.
    if !status.success() && tally.failed() == 0 {
        bail!("cargo test ended with {status} although no test reported a failure");
    }
    Ok(())
}

/// Passed and failed of a line like `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
fn counts(line: &str) -> Option<(usize, usize)> {
    let result = line.strip_prefix("test result: ")?;
    let count = |unit: &str| -> Option<usize> {
        let head = result.split(unit).next()?;
        head.rsplit([' ', ';'])
            .find(|word| !word.is_empty())?
            .parse()
            .ok()
    };
    Some((count(" passed")?, count(" failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_summary_line_of_a_suite() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.05s";
        assert_eq!(counts(line), Some((12, 3)));
        assert_eq!(counts("test tally::tests::a ... ok"), None);
        assert_eq!(counts("test result: nonsense"), None);
    }
}
