//! What the model counts.

use gateway_core::load::Telemetry;

/// A reading of the model's gauges and counters. Counters run since the model was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelMetrics {
    /// Sequences in the running batch.
    pub running: u32,
    /// Requests that wait for admission, preempted ones included.
    pub waiting: u32,
    /// Blocks that a running sequence holds, or that are kept for another engine.
    pub blocks_in_use: u32,
    /// Of those, the blocks of finished requests that wait for another engine to fetch them.
    pub blocks_kept: u32,
    /// Blocks that nobody holds but that may be reused.
    pub blocks_idle: u32,
    /// All blocks.
    pub blocks_total: u32,
    /// Tokens in one block.
    pub block_tokens: u32,
    /// Prompt tokens looked up in the prefix cache.
    pub prefix_queries_tokens: u64,
    /// Of those, the tokens found.
    pub prefix_hits_tokens: u64,
    /// Prompt tokens of the requests that got their first token.
    pub prompt_tokens: u64,
    /// Tokens generated.
    pub generation_tokens: u64,
    /// Sequences thrown out of the batch for want of blocks.
    pub preemptions: u64,
    /// Requests that got all their tokens.
    pub finished: u64,
    /// Requests that were withdrawn.
    pub aborted: u64,
    /// Steps completed.
    pub steps: u64,
    /// Microseconds spent in completed steps.
    pub busy_micros: u64,
}

impl ModelMetrics {
    /// The readings of two engines together; those that must be equal are the first one's.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            running: self.running + other.running,
            waiting: self.waiting + other.waiting,
            blocks_in_use: self.blocks_in_use + other.blocks_in_use,
            blocks_kept: self.blocks_kept + other.blocks_kept,
            blocks_idle: self.blocks_idle + other.blocks_idle,
            blocks_total: self.blocks_total + other.blocks_total,
            block_tokens: self.block_tokens,
            prefix_queries_tokens: self.prefix_queries_tokens + other.prefix_queries_tokens,
            prefix_hits_tokens: self.prefix_hits_tokens + other.prefix_hits_tokens,
            prompt_tokens: self.prompt_tokens + other.prompt_tokens,
            generation_tokens: self.generation_tokens + other.generation_tokens,
            preemptions: self.preemptions + other.preemptions,
            finished: self.finished + other.finished,
            aborted: self.aborted + other.aborted,
            steps: self.steps + other.steps,
            busy_micros: self.busy_micros + other.busy_micros,
        }
    }

    /// Share of the KV cache in use, 0 to 1. Idle blocks count as free, as vLLM counts them.
    #[must_use]
    pub fn kv_used(&self) -> f64 {
        f64::from(self.blocks_in_use) / f64::from(self.blocks_total.max(1))
    }

    /// The same reading as a router would get it from the engine's metrics page.
    #[must_use]
    pub fn telemetry(&self) -> Telemetry {
        #[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1")]
        let kv_used = self.kv_used() as f32;
        Telemetry {
            running: Some(self.running),
            waiting: Some(self.waiting),
            kv_used: Some(kv_used),
            kv_capacity_tokens: Some(u64::from(self.blocks_total) * u64::from(self.block_tokens)),
            block_tokens: Some(self.block_tokens),
            prefix_queries_tokens: Some(self.prefix_queries_tokens),
            prefix_hits_tokens: Some(self.prefix_hits_tokens),
            prompt_tokens: Some(self.prompt_tokens),
            generation_tokens: Some(self.generation_tokens),
            preemptions: Some(self.preemptions),
        }
    }
}
