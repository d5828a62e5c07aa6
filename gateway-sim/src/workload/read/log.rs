//! The gateway's own log.

use serde::Deserialize;

use super::{
    TraceProblem, azure,
    error::{LineError, invalid},
    format::{Lined, Private},
};
use crate::workload::Draft;

/// What access lines are written under.
const ACCESS: &str = "gateway::access";

#[derive(Deserialize)]
struct Row {
    target: Option<String>,
    timestamp: Option<String>,
    total_ms: Option<f64>,
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
}

pub(super) struct Reader(Private);

impl Reader {
    pub(super) fn new(block_tokens: u32) -> Self {
        Self(Private::new(block_tokens))
    }
}

impl Lined for Reader {
    fn line(&mut self, line: &str) -> Result<Option<Draft>, LineError> {
        let row: Row = serde_json::from_str(line)
            .map_err(|error| (None, TraceProblem::Malformed(error.to_string())))?;
        if row.target.as_deref() != Some(ACCESS) {
            return Ok(None);
        }
        // A request that failed, or whose engine gave no usage.
        let (Some(input), Some(output)) = (row.prompt_tokens, row.completion_tokens) else {
            return Ok(None);
        };
        let text = row
            .timestamp
            .ok_or((Some("timestamp"), TraceProblem::Missing))?;
        let ended = azure::seconds(&text)
            .ok_or_else(|| invalid("timestamp", &text, "a time as of RFC 3339"))?;
        let took_ms = row.total_ms.unwrap_or(0.0);
        if !(0.0..1e12).contains(&took_ms) {
            let expected = "a duration in milliseconds";
            return Err(invalid("total_ms", &took_ms.to_string(), expected));
        }
        // The line is written when the request has ended.
        let began = ended - took_ms / 1_000.0;
        Ok(Some(self.0.request(began, input, output)))
    }

    fn expected(&self) -> &'static str {
        "access lines in JSON, with usage, were expected"
    }
}
