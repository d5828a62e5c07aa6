//! What passed and what failed, printed line by line.

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

/// Counts of passed and failed checks; displays as the closing line `N passed, N failed`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    /// Prints one check's outcome and counts it. The `Ok` text holds figures worth reading and may be empty.
    pub fn record(&mut self, name: &str, outcome: Result<String>) {
        match outcome {
            Ok(figures) => {
                self.passed += 1;
                println!(
                    "ok      {name}{}{figures}",
                    if figures.is_empty() { "" } else { ": " }
                );
            }
            Err(error) => {
                self.failed += 1;
                println!("FAILED  {name}: {error:#}");
            }
        }
    }

    /// Adds counts that another program printed itself.
    pub fn add(&mut self, passed: usize, failed: usize) {
        self.passed += passed;
        self.failed += failed;
    }

    /// Checks that passed.
    #[must_use]
    pub fn passed(self) -> usize {
        self.passed
    }

    /// Checks that failed.
    #[must_use]
    pub fn failed(self) -> usize {
        self.failed
    }

    /// Success when something ran and nothing failed.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        if self.failed == 0 && self.passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn counts_and_closes_with_one_line() {
        let mut tally = Tally::default();
        tally.record("a", Ok("3 of 3".into()));
        tally.record("b", Err(anyhow!("broken")));
        tally.add(4, 1);
        assert_eq!(tally.to_string(), "5 passed, 2 failed");
    }

    #[test]
    fn nothing_run_is_no_success() {
        assert_eq!(Tally::default().exit_code(), ExitCode::FAILURE);
    }
}
