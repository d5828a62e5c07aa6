//! What the engines count of hand-overs.

use anyhow::Result;
use serde_json::{Value, json};

use super::asked::{COMPLETIONS, body};
use super::run::Bench;

/// Counters of one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Counts {
    /// Prompts whose KV cache the decode engine has read.
    pub(super) read: f64,
    /// Bytes of it.
    pub(super) bytes: f64,
    /// Hand-overs that the prefill engine was thanked for a second time, or too late.
    pub(super) stale: f64,
    /// Requests that each engine has answered: prefill, decode.
    pub(super) answered: [f64; 2],
}

impl Counts {
    /// Reads them now, after a small request to each engine: idle ones look at nothing that others tell them.
    pub(super) fn read(bench: &Bench) -> Result<Self> {
        for engine in [&bench.prefill, &bench.decode] {
            engine.peer().ask(COMPLETIONS, &stirring())?;
        }
        let (prefill, decode) = (bench.prefill.metrics()?, bench.decode.metrics()?);
        let answered = "vllm:request_success_total";
        Ok(Self {
            read: decode.sum("vllm:nixl_xfer_time_seconds_count"),
            bytes: decode.sum("vllm:nixl_bytes_transferred_sum"),
            stale: prefill.sum("vllm:nixl_num_notifications_after_expiry_total"),
            answered: [prefill.sum(answered), decode.sum(answered)],
        })
    }

    /// What has been added since `before`, without the small requests of this reading.
    pub(super) fn since(self, before: Self) -> Self {
        let answered = |at: usize| self.answered[at] - before.answered[at] - 1.0;
        Self {
            read: self.read - before.read,
            bytes: self.bytes - before.bytes,
            stale: self.stale - before.stale,
            answered: [answered(0), answered(1)],
        }
    }
}

/// Of several steps, in which what has come is counted and told.
fn stirring() -> Value {
    let mut stirring = body(0);
    stirring["prompt"] = json!([1]);
    stirring
}
