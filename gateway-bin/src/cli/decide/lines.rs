//! Lines of bounded length, with their numbers.

use std::io::{self, BufRead, Read as _};

use gateway_core::decider::DecideError;

/// The longest line in bytes: a million block ids and more.
const LONGEST: u64 = 256 << 20;

/// A line that ends the conversation.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct BadLine {
    /// Its number, from 1.
    pub(super) line: u64,
    pub(super) problem: LineProblem,
}

/// What is wrong with it.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineProblem {
    #[error("not a message: {0}")]
    Malformed(serde_json::Error),
    #[error(transparent)]
    Meaningless(DecideError),
    #[error("empty; only the last lines may be")]
    Empty,
    #[error("longer than {LONGEST} bytes")]
    Long,
}

/// Reads into one buffer, again and again.
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
    /// The first empty line since the last that was not.
    empty: Option<u64>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            number: 0,
            empty: None,
        }
    }

    /// The next line that says something; `None` at the end.
    ///
    /// # Errors
    /// As reading fails, and with a [`BadLine`] where lines break off or are empty in between.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<&[u8]>> {
        loop {
            self.buffer.clear();
            if self.fill()? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.buffer.len() as u64 > LONGEST {
                return Err(self.bad(LineProblem::Long).into());
            }
            if !self.buffer.trim_ascii().is_empty() {
                break;
            }
            self.empty.get_or_insert(self.number);
        }
        if let Some(line) = self.empty {
            let problem = LineProblem::Empty;
            return Err(BadLine { line, problem }.into());
        }
        Ok(Some(&self.buffer))
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut input = (&mut self.input).take(LONGEST + 1);
        input.read_until(b'\n', &mut self.buffer)
    }

    /// The line that was read last is bad.
    pub(super) fn bad(&self, problem: LineProblem) -> BadLine {
        BadLine {
            line: self.number,
            problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &str) -> (Vec<String>, Option<String>) {
        let mut lines = Lines::new(input.as_bytes());
        let mut read = Vec::new();
        loop {
            match lines.next() {
                Ok(Some(line)) => read.push(String::from_utf8_lossy(line).trim().to_owned()),
                Ok(None) => return (read, None),
                Err(error) => return (read, Some(error.to_string())),
            }
        }
    }

    #[test]
    fn empty_lines_may_only_end_the_input() {
        let told = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(read("a\r\nb\n\n \n"), (told(&["a", "b"]), None));
        assert_eq!(read("a\nb"), (told(&["a", "b"]), None));
        let error = "line 2: empty; only the last lines may be";
        assert_eq!(read("a\n\n\t\nb\n"), (told(&["a"]), Some(error.to_owned())));
    }
}
