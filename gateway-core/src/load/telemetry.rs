//! What an engine says of itself, and when it said so.

/// One reading of an engine's own gauges and counters.
///
/// Every field is optional because no engine publishes them all; a missing field means "unknown", never zero. Values
/// that make no sense (NaN, negative, infinite, a share above 1.5) are dropped by the codec that fills this in, so a
/// reader may trust what is here. Engines with several data-parallel ranks are folded into one reading: requests and
/// counters add up, `kv_used` is the greatest.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Telemetry {
    /// Requests in the running batch.
    pub running: Option<u32>,
    /// Requests queued in the engine.
    pub waiting: Option<u32>,
    /// Share of the KV cache in use, 0 to 1.
    pub kv_used: Option<f32>,
    /// KV capacity in tokens (blocks times block size).
    pub kv_capacity_tokens: Option<u64>,
    /// Tokens in one KV block.
    pub block_tokens: Option<u32>,
    /// Prompt tokens looked up in the prefix cache since the engine started.
    pub prefix_queries_tokens: Option<u64>,
    /// Of those, the tokens found.
    pub prefix_hits_tokens: Option<u64>,
    /// Prompt tokens processed since the engine started.
    pub prompt_tokens: Option<u64>,
    /// Tokens generated since the engine started.
    pub generation_tokens: Option<u64>,
    /// Requests preempted since the engine started.
    pub preemptions: Option<u64>,
}
