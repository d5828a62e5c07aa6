//! How long one step of an engine takes.

use serde::{Deserialize, Serialize};

/// The constants of one model on one engine, from which the time of a step follows.
///
/// With `n` new prompt tokens, `N` decoding sequences and `K` tokens of context among these, a step takes
///
/// ```text
/// max(d0 + dB·N, a + b·(n + N))  where n > 0, else  d0 + dB·N
///   + c·Σ nᵢ·(pᵢ + nᵢ/2) + dKV·K + loaded tokens · l
/// ```
///
/// milliseconds, where `pᵢ` is what prompt `i` had before. The host's overhead per step is part of `a` and `d0`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepCosts {
    /// `a`: milliseconds of a step that has prompt tokens, before the tokens count.
    pub prefill_base_ms: f64,
    /// `b`: milliseconds per token of such a step.
    pub prefill_ms_per_token: f64,
    /// `c`: milliseconds per pair of a new prompt token and a token before it.
    pub attention_ms_per_pair: f64,
    /// `d0`: milliseconds of a step that only decodes, before the sequences count.
    pub decode_base_ms: f64,
    /// `dB`: milliseconds per decoding sequence.
    pub decode_ms_per_sequence: f64,
    /// `dKV`: milliseconds per token of context that decoding sequences read.
    pub decode_ms_per_context_token: f64,
    /// `l`: milliseconds per token of KV cache loaded from a lower tier.
    pub load_ms_per_token: f64,
}

/// The prompt work of one request, or of several that finish together, on one engine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PromptWork {
    /// Prompt tokens to compute.
    pub uncached_tokens: f64,
    /// Prompt tokens that are in the cache.
    pub cached_tokens: f64,
    /// Of the cached ones, those that come from a lower tier.
    pub loaded_tokens: f64,
    /// Pairs of a new token and one before it: `u·(p + u/2)`, added up.
    pub pairs: f64,
}

impl PromptWork {
    /// The work of a prompt of which `cached` of `prompt` tokens are in the cache, `loaded` of them in a lower tier. At
    /// least one token is always computed.
    #[must_use]
    pub fn of(prompt: u32, cached: u32, loaded: u32) -> Self {
        let cached = cached.min(prompt.saturating_sub(1));
        let uncached = f64::from(prompt.max(1) - cached);
        let before = f64::from(cached);
        Self {
            uncached_tokens: uncached,
            cached_tokens: before,
            loaded_tokens: f64::from(loaded.min(cached)),
            pairs: uncached * (before + uncached / 2.0),
        }
    }

    /// This work and another prompt's.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            uncached_tokens: self.uncached_tokens + other.uncached_tokens,
            cached_tokens: self.cached_tokens + other.cached_tokens,
            loaded_tokens: self.loaded_tokens + other.loaded_tokens,
            pairs: self.pairs + other.pairs,
        }
    }

    /// This work without another prompt's.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let less = |all: f64, part: f64| (all - part).max(0.0);
        Self {
            uncached_tokens: less(self.uncached_tokens, other.uncached_tokens),
            cached_tokens: less(self.cached_tokens, other.cached_tokens),
            loaded_tokens: less(self.loaded_tokens, other.loaded_tokens),
            pairs: less(self.pairs, other.pairs),
        }
    }
}

impl StepCosts {
    /// Milliseconds of prompt work while `decodes` sequences with `context` tokens ride along, in its parts: what steps
    /// cost at all, tokens, attention, what rides along, loading. `batch_tokens` is what one step may compute.
    #[must_use]
    pub fn prefill_parts(
        &self,
        work: &PromptWork,
        decodes: f64,
        context: f64,
        batch_tokens: f64,
    ) -> [f64; 5] {
        let room = (batch_tokens - decodes).max(batch_tokens / 8.0);
        // Prompts share steps, so that a part of a step is what one more prompt takes on average.
        let steps = (work.uncached_tokens / room).max(1.0);
        [
            self.prefill_base_ms * steps,
            self.prefill_ms_per_token * work.uncached_tokens,
            self.attention_ms_per_pair * work.pairs,
            (self.decode_ms_per_sequence * decodes + self.decode_ms_per_context_token * context)
                * steps,
            self.load_ms_per_token * work.loaded_tokens,
        ]
    }

    /// Milliseconds of a step that only decodes, in its parts: what a step costs at all, sequences, context.
    #[must_use]
    pub fn decode_parts(&self, decodes: f64, context: f64) -> [f64; 3] {
        [
            self.decode_base_ms,
            self.decode_ms_per_sequence * decodes,
            self.decode_ms_per_context_token * context,
        ]
    }

    /// Whether every constant is a number that is not negative and steps take some time.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let all = [
            self.prefill_base_ms,
            self.prefill_ms_per_token,
            self.attention_ms_per_pair,
            self.decode_base_ms,
            self.decode_ms_per_sequence,
            self.decode_ms_per_context_token,
            self.load_ms_per_token,
        ];
        all.iter().all(|ms| ms.is_finite() && *ms >= 0.0)
            && self.decode_base_ms > 0.0
            && self.prefill_ms_per_token > 0.0
    }
}
