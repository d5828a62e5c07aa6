//! The fleet and the traffic of a replay.

use std::sync::Arc;

use gateway_core::decider::{EngineNote, RoleName};

use crate::model::ChipProfile;

/// A fleet as it is, with what routers may know of it.
#[derive(Clone, Debug)]
pub struct FleetSpec {
    /// Tokens of one block, for caches and traces alike.
    pub block_tokens: u32,
    /// The engines; engine `i` has the number `i`.
    pub engines: Vec<ReplayEngine>,
    /// Seconds between two samples of telemetry; none is sent where 0.
    pub telemetry_every_seconds: f64,
    /// Seconds from sample to delivery.
    pub telemetry_delay_seconds: f64,
    /// Seconds from a change of a cache to its delivery; none is sent where infinite.
    pub kv_delay_seconds: f64,
    /// Whether routers are told nameplate rates.
    pub nameplates: bool,
}

/// One engine as it is.
#[derive(Clone, Debug)]
pub struct ReplayEngine {
    /// What engines of equal speed have in common.
    pub class: String,
    /// Its part of the work.
    pub role: RoleName,
    /// How long its steps take.
    pub chip: ChipProfile,
    /// KV blocks on the device.
    pub kv_blocks: u32,
    /// The host tier, if it has one.
    pub host: Option<HostTier>,
    /// Sequences that may run at once.
    pub max_sequences: u32,
    /// Tokens one step may compute.
    pub batch_tokens: u32,
    /// Bytes of KV cache per token.
    pub kv_bytes_per_token: f64,
    /// The link over which KV cache leaves, in 10^9 bytes a second.
    pub nic_gbs: f64,
    /// Nameplate: 10^12 operations a second.
    pub tflops: f64,
    /// Nameplate: 10^9 bytes of memory traffic a second.
    pub hbm_gbs: f64,
    /// Spans in which it is slower than its chip; nobody is told.
    pub slow: Vec<SlowSpan>,
}

/// KV cache in host memory: what leaves the device goes there, and is loaded again instead of computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostTier {
    /// KV blocks it holds.
    pub blocks: u32,
    /// The link to the device, in 10^9 bytes a second.
    pub gbs: f64,
}

/// A span in which an engine is slow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowSpan {
    /// Its beginning, in seconds.
    pub from_seconds: f64,
    /// Its end, in seconds; may be infinite.
    pub to_seconds: f64,
    /// How many times as long steps take.
    pub factor: f64,
}

/// One request of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceRequest {
    /// When it comes, in seconds.
    pub at_seconds: f64,
    /// Prompt tokens, at least 1.
    pub input_tokens: u32,
    /// Tokens it will get, at least 1. Routers do not know.
    pub output_tokens: u32,
    /// Ids of the prompt's blocks, in order; an id stands for itself and everything before it. The last one may be part
    /// full.
    pub blocks: Arc<[u64]>,
    /// Objective for the time to the first token, in milliseconds.
    pub ttft_slo_ms: f64,
    /// Objective for the mean time per output token, in milliseconds.
    pub tpot_slo_ms: f64,
}

impl ReplayEngine {
    /// What routers are told of it.
    #[must_use]
    pub fn note(&self, id: u32, nameplates: bool) -> EngineNote {
        let plate = |value: f64| nameplates.then_some(value);
        EngineNote {
            id,
            class: Some(self.class.clone()),
            role: self.role,
            kv_blocks: Some(u64::from(self.kv_blocks)),
            host_blocks: Some(self.host.map_or(0, |host| u64::from(host.blocks))),
            max_seqs: Some(self.max_sequences),
            max_batched_tokens: Some(self.batch_tokens),
            tflops: plate(self.tflops),
            hbm_gbs: plate(self.hbm_gbs),
            nic_gbs: plate(self.nic_gbs),
            kv_bytes_per_token: plate(self.kv_bytes_per_token),
        }
    }
}
