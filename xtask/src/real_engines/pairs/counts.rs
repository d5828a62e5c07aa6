//! What the engines count of hand-overs.

use anyhow::Result;

use super::super::vllm::Engine;
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
    /// Reads them now.
    pub(super) fn read(bench: &Bench) -> Result<Self> {
        let (prefill, decode) = (bench.prefill.metrics()?, bench.decode.metrics()?);
        let answered = |engine: &Engine| {
            let metrics = engine.metrics()?;
            Ok::<_, anyhow::Error>(metrics.sum("vllm:request_success_total"))
        };
        Ok(Self {
            read: decode.sum("vllm:nixl_xfer_time_seconds_count"),
            bytes: decode.sum("vllm:nixl_bytes_transferred_sum"),
            stale: prefill.sum("vllm:nixl_num_notifications_after_expiry_total"),
            answered: [answered(&bench.prefill)?, answered(&bench.decode)?],
        })
    }

    /// What has been added since `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            read: self.read - before.read,
            bytes: self.bytes - before.bytes,
            stale: self.stale - before.stale,
            answered: [
                self.answered[0] - before.answered[0],
                self.answered[1] - before.answered[1],
            ],
        }
    }
}
