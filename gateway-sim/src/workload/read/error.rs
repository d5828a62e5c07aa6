//! What is wrong with a trace, and where.

use std::fmt;

/// Why a trace was refused: `FILE:LINE: FIELD: PROBLEM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// The trace's name, as given by the caller.
    pub file: String,
    /// The line, from 1 on; 0 where it is the whole file.
    pub line: usize,
    /// The field, where it is one.
    pub field: Option<&'static str>,
    /// What is wrong.
    pub problem: TraceProblem,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceProblem {
    /// The text cannot be read.
    #[error("cannot read: {0}")]
    Unreadable(String),
    /// Not a line of this format.
    #[error("{0}")]
    Malformed(String),
    /// A line that is longer than any request's.
    #[error("longer than {0} bytes")]
    LongLine(usize),
    /// A field that must be there.
    #[error("is missing")]
    Missing,
    /// A field that has another form.
    #[error("`{value}` is not {expected}")]
    Invalid {
        /// As written, shortened.
        value: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// Block ids that do not go with the prompt's length.
    #[error("{ids} ids for {tokens} tokens; {expected} blocks of 512 were expected")]
    BlockCount {
        /// Ids in the line.
        ids: usize,
        /// Prompt tokens in the line.
        tokens: u32,
        /// Ids that such a prompt has.
        expected: u32,
    },
    /// No request at all.
    #[error("no request in it; {0}")]
    Empty(&'static str),
    /// More than can be held.
    #[error("more than {0} requests; use only a part of it")]
    TooMany(usize),
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if let Some(field) = self.field {
            write!(f, ": {field}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for TraceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.problem)
    }
}

/// A problem of one line, before file and line are known.
pub(super) type LineError = (Option<&'static str>, TraceProblem);

/// A field of another form. Shows the beginning of what stands there.
pub(super) fn invalid(field: &'static str, value: &str, expected: &'static str) -> LineError {
    let value = value.chars().take(40).collect();
    (Some(field), TraceProblem::Invalid { value, expected })
}
