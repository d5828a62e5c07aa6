//! The messages of the line protocol: what an engine fleet tells a router, and what the router answers.
//!
//! All times are virtual seconds. Engines are numbered by the sender. Every field that a sender may not know is optional.

use serde::{Deserialize, Serialize};

/// The number of an engine, as the sender counts.
pub type EngineNumber = u32;
/// The number of a request, as the sender counts.
pub type RequestNumber = u64;

/// One line of input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Message {
    /// The fleet; comes first, and again where the fleet is another one.
    Init(Init),
    /// An engine's gauges and counters.
    Telemetry(TelemetryNote),
    /// Changes of an engine's prefix cache.
    Kv(KvNote),
    /// The prefill half of a split request is done.
    PrefillDone(PrefillDone),
    /// A request's first token.
    FirstToken(FirstToken),
    /// A request's end.
    Finish(Finish),
    /// A request wants an engine; the only message that is answered.
    Route {
        /// The request.
        req: Ask,
    },
}

/// The fleet and its unit of caching.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Init {
    /// Prompt tokens that one block id stands for.
    pub block_size: u32,
    /// The engines.
    pub engines: Vec<EngineNote>,
}

/// One engine as the sender describes it. Rates are nameplate values: hints, not truths.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineNote {
    /// Its number.
    pub id: EngineNumber,
    /// What engines of equal speed have in common, such as the chip's name.
    #[serde(deserialize_with = "super::lenient::text")]
    pub class: Option<String>,
    /// `both`, `prefill` or `decode`.
    pub role: RoleName,
    /// KV blocks on the device.
    pub kv_blocks: Option<u64>,
    /// KV blocks in host memory.
    pub host_blocks: Option<u64>,
    /// Sequences that may run at once.
    pub max_seqs: Option<u32>,
    /// Tokens that one step may compute.
    pub max_batched_tokens: Option<u32>,
    /// Peak dense matrix rate in 10^12 operations a second, all chips of the engine together.
    pub tflops: Option<f64>,
    /// Memory bandwidth in 10^9 bytes a second, all chips of the engine together.
    pub hbm_gbs: Option<f64>,
    /// Network bandwidth in 10^9 bytes a second.
    pub nic_gbs: Option<f64>,
    /// Bytes of KV cache per token.
    pub kv_bytes_per_token: Option<f64>,
}

/// An engine's part of the work, in the protocol's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleName {
    /// Prefill and decode.
    #[default]
    Both,
    /// Prefill only.
    Prefill,
    /// Decode only.
    Decode,
}

/// An engine's own word, as sampled at `now`; it may be delivered late.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TelemetryNote {
    /// When it was sampled.
    pub now: f64,
    /// Which engine.
    pub engine: EngineNumber,
    /// Requests in the running batch.
    pub running: Option<f64>,
    /// Requests queued.
    pub waiting: Option<f64>,
    /// Share of the KV cache in use, 0 to 1.
    pub kv_usage: Option<f64>,
    /// Prompt tokens processed since the start.
    pub prompt_tokens_total: Option<f64>,
    /// Tokens generated since the start.
    pub generation_tokens_total: Option<f64>,
}

/// Changes of an engine's prefix cache. A block id stands for itself and everything before it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KvNote {
    /// When it happened.
    pub now: f64,
    /// Which engine.
    pub engine: EngineNumber,
    /// Blocks now on the device.
    #[serde(deserialize_with = "super::lenient::ids")]
    pub stored: Vec<u64>,
    /// Blocks no longer on the device.
    #[serde(deserialize_with = "super::lenient::ids")]
    pub removed: Vec<u64>,
    /// Blocks now in host memory.
    #[serde(deserialize_with = "super::lenient::ids")]
    pub host_stored: Vec<u64>,
    /// Blocks no longer in host memory.
    #[serde(deserialize_with = "super::lenient::ids")]
    pub host_removed: Vec<u64>,
}

/// The prefill half of a split request is done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PrefillDone {
    /// When.
    pub now: f64,
    /// Which request.
    pub id: RequestNumber,
    /// The engine that did it.
    #[serde(default)]
    pub engine: EngineNumber,
    /// Prompt tokens found in its cache.
    #[serde(default)]
    pub cached: Option<u32>,
}

/// A request's first token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FirstToken {
    /// When.
    pub now: f64,
    /// Which request.
    pub id: RequestNumber,
    /// The engine it came from.
    #[serde(default)]
    pub engine: EngineNumber,
    /// Prompt tokens found in its cache.
    #[serde(default)]
    pub cached: Option<u32>,
}

/// A request's end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finish {
    /// When.
    pub now: f64,
    /// Which request.
    pub id: RequestNumber,
    /// The engine it ran on.
    #[serde(default)]
    pub engine: EngineNumber,
    /// Tokens generated.
    #[serde(default)]
    pub output: Option<u32>,
}

/// A request that wants an engine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ask {
    /// Its number.
    pub id: RequestNumber,
    /// When it is to be placed.
    pub now: f64,
    /// Prompt length in tokens.
    pub input: u32,
    /// Block ids of the prompt, in order.
    #[serde(deserialize_with = "super::lenient::ids")]
    pub hashes: Vec<u64>,
    /// Whether one engine or a pair is wanted.
    pub phase: Phase,
    /// The objective for the time to the first token, in milliseconds.
    pub ttft_slo_ms: Option<f64>,
    /// The objective for the mean time per output token, in milliseconds.
    pub tpot_slo_ms: Option<f64>,
    /// Engines to choose from; for a pair, those that prefill. All of them where missing.
    pub cands: Option<Vec<EngineNumber>>,
    /// For a pair, the engines that decode.
    pub decode_cands: Option<Vec<EngineNumber>>,
}

/// What a request wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// One engine for everything.
    #[default]
    Both,
    /// A pair: one engine for the prompt and one for the output, or one for both.
    Prefill,
}

/// The answer to an [`Ask`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// This engine.
    Engine {
        /// The request.
        id: RequestNumber,
        /// The engine.
        engine: EngineNumber,
    },
    /// This pair; the same engine twice means no split.
    Pair {
        /// The request.
        id: RequestNumber,
        /// The engine for the prompt.
        prefill: EngineNumber,
        /// The engine for the output.
        decode: EngineNumber,
    },
    /// Ask again later.
    Hold {
        /// The request.
        id: RequestNumber,
        /// How much later, in milliseconds.
        hold_ms: u64,
    },
    /// Nobody shall serve it.
    Reject {
        /// The request.
        id: RequestNumber,
        /// Always true.
        reject: bool,
    },
}
