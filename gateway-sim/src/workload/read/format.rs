//! The formats, and what they have in common.

use std::io::BufRead;

use serde::{Deserialize, Serialize};

use super::{TraceError, TraceProblem, azure, error::LineError, lines::Lines, log, mooncake};
use crate::workload::{Draft, Segments, request};

/// The most requests of one trace.
const REQUESTS_AT_MOST: usize = 5_000_000;

/// How a trace is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON lines of `timestamp` (ms), `input_length`, `output_length` and `hash_ids`, one id per started block of 512
    /// tokens (Mooncake, FAST'25).
    Mooncake,
    /// CSV with the header `TIMESTAMP,ContextTokens,GeneratedTokens` (Azure LLM inference traces, 2023 and 2024). Nothing
    /// is known of shared prefixes, so nobody shares any.
    Azure,
    /// The gateway's own log in JSON; the access lines of requests that were answered with usage. Nothing is known of
    /// shared prefixes, so nobody shares any.
    Log,
}

/// A trace that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The requests, in the order of their arrival; times as in the trace, in seconds.
    pub requests: Vec<Draft>,
    /// Lines that are no requests, or of whom too little is known.
    pub skipped: usize,
}

/// What makes requests of lines.
pub(super) trait Lined {
    /// The request of one line; none where the line holds none.
    fn line(&mut self, line: &str) -> Result<Option<Draft>, LineError>;
    /// What such a trace should hold.
    fn expected(&self) -> &'static str;
}

/// Reads a whole trace for caches with blocks of `block_tokens` tokens. `file` is the name that errors carry.
///
/// # Errors
/// With the line and the field, where something is not as the format says.
pub fn read(
    format: Format,
    file: &str,
    input: impl BufRead,
    block_tokens: u32,
) -> Result<Trace, TraceError> {
    let mut reader: Box<dyn Lined> = match format {
        Format::Mooncake => Box::new(mooncake::Reader { block_tokens }),
        Format::Azure => Box::new(azure::Reader::new(block_tokens)),
        Format::Log => Box::new(log::Reader::new(block_tokens)),
    };
    let mut lines = Lines::new(input);
    collect(&mut lines, &mut *reader).map_err(|(field, problem)| TraceError {
        file: file.to_owned(),
        line: match problem {
            TraceProblem::Empty(_) => 0,
            _ => lines.number,
        },
        field,
        problem,
    })
}

fn collect<R: BufRead>(lines: &mut Lines<R>, reader: &mut dyn Lined) -> Result<Trace, LineError> {
    let mut trace = Trace::default();
    while let Some(line) = lines.next().map_err(|problem| (None, problem))? {
        match reader.line(line)? {
            Some(draft) => trace.requests.push(draft),
            None => trace.skipped += 1,
        }
        if trace.requests.len() > REQUESTS_AT_MOST {
            return Err((None, TraceProblem::TooMany(REQUESTS_AT_MOST)));
        }
    }
    if trace.requests.is_empty() {
        return Err((None, TraceProblem::Empty(reader.expected())));
    }
    request::sort(&mut trace.requests);
    Ok(trace)
}

/// Makes requests that share nothing with anybody.
#[derive(Debug)]
pub(super) struct Private {
    segments: Segments,
    block_tokens: u32,
}

impl Private {
    pub(super) fn new(block_tokens: u32) -> Self {
        Self {
            segments: Segments::default(),
            block_tokens,
        }
    }

    pub(super) fn request(&mut self, at_seconds: f64, input: u32, output: u32) -> Draft {
        let mut prompt = crate::workload::Prompt::default();
        prompt.push(self.segments.fresh(), input.max(1));
        Draft::new(at_seconds, &prompt, output, self.block_tokens)
    }
}
