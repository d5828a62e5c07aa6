//! Lines of bounded length.

use std::io::{BufRead, Read as _};

use super::TraceProblem;

/// The longest line in bytes: the block ids of a prompt of ten million tokens fit.
const LINE_BYTES_AT_MOST: usize = 1 << 20;

/// Reads lines, counting them.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    line: String,
    /// The number of the line read last, from 1 on.
    pub(super) number: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            line: String::new(),
            number: 0,
        }
    }

    /// The next line that is not blank, without its end; none at the end of the text.
    pub(super) fn next(&mut self) -> Result<Option<&str>, TraceProblem> {
        loop {
            self.line.clear();
            self.number += 1;
            let mut part = self.input.by_ref().take(LINE_BYTES_AT_MOST as u64 + 1);
            let read = part
                .read_line(&mut self.line)
                .map_err(|error| TraceProblem::Unreadable(error.to_string()))?;
            if read == 0 {
                return Ok(None);
            }
            if read > LINE_BYTES_AT_MOST {
                return Err(TraceProblem::LongLine(LINE_BYTES_AT_MOST));
            }
            if !self.line.trim().is_empty() {
                break;
            }
        }
        Ok(Some(self.line.trim().trim_start_matches('\u{feff}')))
    }
}
