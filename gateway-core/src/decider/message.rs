//! The messages of the line protocol: what an engine fleet tells a router, and what the router answers.
//!
//! All times are virtual seconds. Engines are numbered by the sender. Every field that a sender may not know is optional,
//! and `null` where it is not known; whole numbers may be written as floats.

use serde::{Deserialize, Serialize};

use super::lenient;

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
    #[serde(deserialize_with = "lenient::count")]
    pub block_size: u32,
    /// The engines.
    #[serde(deserialize_with = "lenient::or_default")]
    pub engines: Vec<EngineNote>,
}

/// One engine as the sender describes it. Rates are nameplate values: hints, not truths.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineNote {
    /// Its number.
    #[serde(deserialize_with = "lenient::name")]
    pub id: EngineNumber,
    /// What engines of equal speed have in common, such as the chip's name.
    #[serde(deserialize_with = "lenient::text")]
    pub class: Option<String>,
    /// `both`, `prefill` or `decode`.
    #[serde(deserialize_with = "lenient::or_default")]
    pub role: RoleName,
    /// KV blocks on the device.
    #[serde(deserialize_with = "lenient::counted")]
    pub kv_blocks: Option<u64>,
    /// KV blocks in host memory.
    #[serde(deserialize_with = "lenient::counted")]
    pub host_blocks: Option<u64>,
    /// Sequences that may run at once.
    #[serde(deserialize_with = "lenient::counted")]
    pub max_seqs: Option<u32>,
    /// Tokens that one step may compute.
    #[serde(deserialize_with = "lenient::counted")]
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
    #[serde(default = "lenient::unsaid", deserialize_with = "lenient::seconds")]
    pub now: f64,
    /// Which engine.
    #[serde(deserialize_with = "lenient::name")]
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
    #[serde(default = "lenient::unsaid", deserialize_with = "lenient::seconds")]
    pub now: f64,
    /// Which engine.
    #[serde(deserialize_with = "lenient::name")]
    pub engine: EngineNumber,
    /// Blocks now on the device.
    #[serde(deserialize_with = "lenient::ids")]
    pub stored: Vec<u64>,
    /// Blocks no longer on the device.
    #[serde(deserialize_with = "lenient::ids")]
    pub removed: Vec<u64>,
    /// Blocks now in host memory.
    #[serde(deserialize_with = "lenient::ids")]
    pub host_stored: Vec<u64>,
    /// Blocks no longer in host memory.
    #[serde(deserialize_with = "lenient::ids")]
    pub host_removed: Vec<u64>,
}

/// The prefill half of a split request is done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PrefillDone {
    /// When.
    #[serde(default = "lenient::unsaid", deserialize_with = "lenient::seconds")]
    pub now: f64,
    /// Which request.
    #[serde(deserialize_with = "lenient::name")]
    pub id: RequestNumber,
    /// The engine that did it.
    #[serde(default, deserialize_with = "lenient::name")]
    pub engine: EngineNumber,
    /// Prompt tokens found in its cache.
    #[serde(default, deserialize_with = "lenient::counted")]
    pub cached: Option<u32>,
}

/// A request's first token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FirstToken {
    /// When.
    #[serde(default = "lenient::unsaid", deserialize_with = "lenient::seconds")]
    pub now: f64,
    /// Which request.
    #[serde(deserialize_with = "lenient::name")]
    pub id: RequestNumber,
    /// The engine it came from.
    #[serde(default, deserialize_with = "lenient::name")]
    pub engine: EngineNumber,
    /// Prompt tokens found in its cache.
    #[serde(default, deserialize_with = "lenient::counted")]
    pub cached: Option<u32>,
}

/// A request's end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finish {
    /// When.
    #[serde(default = "lenient::unsaid", deserialize_with = "lenient::seconds")]
    pub now: f64,
    /// Which request.
    #[serde(deserialize_with = "lenient::name")]
    pub id: RequestNumber,
    /// The engine it ran on.
    #[serde(default, deserialize_with = "lenient::name")]
    pub engine: EngineNumber,
    /// Tokens generated.
    #[serde(default, deserialize_with = "lenient::counted")]
    pub output: Option<u32>,
}

/// A request that wants an engine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ask {
    /// Its number.
    #[serde(deserialize_with = "lenient::name")]
    pub id: RequestNumber,
    /// When it is to be placed.
    #[serde(default = "lenient::unsaid", deserialize_with = "lenient::seconds")]
    pub now: f64,
    /// Prompt length in tokens.
    #[serde(deserialize_with = "lenient::count")]
    pub input: u32,
    /// Block ids of the prompt, in order.
    #[serde(deserialize_with = "lenient::ids")]
    pub hashes: Vec<u64>,
    /// Whether one engine or a pair is wanted.
    #[serde(deserialize_with = "lenient::or_default")]
    pub phase: Phase,
    /// The objective for the time to the first token, in milliseconds.
    pub ttft_slo_ms: Option<f64>,
    /// The objective for the mean time per output token, in milliseconds.
    pub tpot_slo_ms: Option<f64>,
    /// Engines to choose from; for a pair, those that prefill. All of them where missing.
    #[serde(deserialize_with = "lenient::names")]
    pub cands: Option<Vec<EngineNumber>>,
    /// For a pair, the engines that decode.
    #[serde(deserialize_with = "lenient::names")]
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
