//! Azure's traces of LLM inference.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    TraceProblem,
    error::{LineError, invalid},
    format::{Lined, Private},
};
use crate::workload::Draft;

const FIELDS: [&str; 3] = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"];

pub(super) struct Reader {
    private: Private,
    /// Where each field stands, once the header is read.
    columns: Option<[usize; 3]>,
}

impl Reader {
    pub(super) fn new(block_tokens: u32) -> Self {
        Self {
            private: Private::new(block_tokens),
            columns: None,
        }
    }
}

impl Lined for Reader {
    fn line(&mut self, line: &str) -> Result<Option<Draft>, LineError> {
        let Some(columns) = self.columns else {
            self.columns = Some(header(line)?);
            return Ok(None);
        };
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let cell = |field: usize| {
            cells
                .get(columns[field])
                .copied()
                .filter(|cell| !cell.is_empty())
                .ok_or((Some(FIELDS[field]), TraceProblem::Missing))
        };
        let count = |field: usize| {
            let text = cell(field)?;
            text.parse::<u32>()
                .map_err(|_| invalid(FIELDS[field], text, "a count of tokens"))
        };
        let text = cell(0)?;
        let at_seconds = seconds(text).ok_or_else(|| {
            let expected = "a time such as 2023-11-16 18:15:46.68 or 2024-05-10 00:00:00.01+00:00";
            invalid(FIELDS[0], text, expected)
        })?;
        Ok(Some(self.private.request(at_seconds, count(1)?, count(2)?)))
    }

    fn expected(&self) -> &'static str {
        "the header TIMESTAMP,ContextTokens,GeneratedTokens and one row a request were expected"
    }
}

fn header(line: &str) -> Result<[usize; 3], LineError> {
    let names: Vec<&str> = line.split(',').map(str::trim).collect();
    let mut columns = [0; 3];
    for (column, field) in columns.iter_mut().zip(FIELDS) {
        *column = names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(field))
            .ok_or((Some(field), TraceProblem::Missing))?;
    }
    Ok(columns)
}

/// Seconds since 1970; a time without offset is taken as UTC.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let instant = text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
    })?;
    Some(instant.as_duration().as_secs_f64())
}
