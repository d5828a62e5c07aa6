//! Mooncake's traces.

use serde::Deserialize;

use super::{
    TraceProblem,
    error::{LineError, invalid},
    format::Lined,
};
use crate::workload::{Draft, Prompt};

/// Tokens that one id stands for.
const TOKENS_PER_ID: u32 = 512;
/// The longest prompt that is taken for one, in tokens.
const TOKENS_AT_MOST: u32 = 100_000_000;

#[derive(Deserialize)]
struct Row {
    timestamp: Option<f64>,
    input_length: Option<u32>,
    output_length: Option<u32>,
    hash_ids: Option<Vec<u64>>,
}

pub(super) struct Reader {
    pub(super) block_tokens: u32,
}

impl Lined for Reader {
    fn line(&mut self, line: &str) -> Result<Option<Draft>, LineError> {
        let row: Row = serde_json::from_str(line)
            .map_err(|error| (None, TraceProblem::Malformed(error.to_string())))?;
        let missing = |field| (Some(field), TraceProblem::Missing);
        let millis = row.timestamp.ok_or(missing("timestamp"))?;
        if !(0.0..1e15).contains(&millis) {
            let expected = "a time in milliseconds from the start";
            return Err(invalid("timestamp", &millis.to_string(), expected));
        }
        let input = row.input_length.ok_or(missing("input_length"))?;
        if !(1..=TOKENS_AT_MOST).contains(&input) {
            let expected = "the length of a prompt in tokens";
            return Err(invalid("input_length", &input.to_string(), expected));
        }
        let output = row.output_length.ok_or(missing("output_length"))?;
        let ids = row.hash_ids.ok_or(missing("hash_ids"))?;
        let expected = input.div_ceil(TOKENS_PER_ID);
        if ids.len() != expected as usize {
            let problem = TraceProblem::BlockCount {
                ids: ids.len(),
                tokens: input,
                expected,
            };
            return Err((Some("hash_ids"), problem));
        }
        Ok(Some(Draft {
            at_seconds: millis / 1_000.0,
            input_tokens: input,
            output_tokens: output.max(1),
            blocks: self.blocks(&ids, input),
        }))
    }

    fn expected(&self) -> &'static str {
        "one JSON object a line was expected"
    }
}

impl Reader {
    /// The ids again as a chain, so that an id stands for everything before it whatever the trace's author meant, and cut
    /// to the fleet's block size.
    fn blocks(&self, ids: &[u64], input: u32) -> std::sync::Arc<[u64]> {
        let mut prompt = Prompt::default();
        for id in ids {
            prompt.push(*id, TOKENS_PER_ID);
        }
        let blocks = prompt.blocks(self.block_tokens);
        let started = input.div_ceil(self.block_tokens.max(1)) as usize;
        blocks[..started.min(blocks.len())].into()
    }
}
