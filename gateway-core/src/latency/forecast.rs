//! What a request would meet on one endpoint.

use serde::Serialize;

/// Predictions for one request on one endpoint, from the learned model and the work in flight there. Times are in
/// milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Forecast {
    /// Prompts ahead of it.
    pub wait_ms: f64,
    /// Until somebody has left a place in the batch and enough KV cache for it.
    pub admission_ms: f64,
    /// Its own prompt.
    pub prefill_ms: f64,
    /// Prompt tokens it would have to compute.
    pub uncached_tokens: f64,
    /// Prompt tokens ahead of it that are still to be computed.
    pub queued_tokens: f64,
    /// Prompts ahead of it.
    pub queued_prompts: f64,
    /// Requests in flight there.
    pub requests: f64,
    /// Tokens of context of these.
    pub context_tokens: f64,
    /// Output tokens expected of one of these, on average.
    pub others_output_tokens: f64,
    /// One decode step as things are.
    pub step_ms: f64,
    /// What it would add to every step.
    pub added_ms: f64,
    /// Time to its first token.
    pub ttft_ms: f64,
    /// Moving its KV cache to another endpoint, the link's queue included; 0 where it need not move.
    pub transfer_ms: f64,
    /// Share of the KV cache that active requests would hold with it; above 1 somebody waits or is preempted.
    pub occupancy: f64,
    /// Tokens that active requests would hold with it.
    pub active_tokens: f64,
    /// Of its prompt's tokens, those that active requests hold already.
    pub shared_tokens: f64,
    /// Output tokens expected of it.
    pub output_tokens: f64,
}
