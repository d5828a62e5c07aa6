//! What makes one engine different from another.

use serde::{Deserialize, Serialize};

use super::ChipProfile;

/// The limits and the chip of one engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineConfig {
    /// How long steps take.
    pub chip: ChipProfile,
    /// Tokens in one KV block.
    pub block_tokens: u32,
    /// KV blocks in the cache.
    pub kv_blocks: u32,
    /// Tokens one step may compute.
    pub batch_tokens: u32,
    /// Sequences that may run at once.
    pub max_sequences: u32,
    /// Tokens of prompt and answer together that one request may have.
    pub max_model_tokens: u32,
    /// Whether blocks of earlier requests are reused.
    pub prefix_caching: bool,
}

/// Why a configuration cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A limit is zero.
    #[error("`{0}` must be at least 1")]
    Zero(&'static str),
    /// The longest allowed request would not fit into the KV cache.
    #[error(
        "`max_model_tokens` of {max_model_tokens} needs {needed} KV blocks, but there are {kv_blocks}"
    )]
    ModelLongerThanCache {
        /// The configured longest request, in tokens.
        max_model_tokens: u32,
        /// The blocks it needs.
        needed: u32,
        /// The blocks there are.
        kv_blocks: u32,
    },
    /// A step could take no time, a negative time or forever.
    #[error("the chip profile gives a step of {0} ms")]
    StepTime(
        /// What the profile's constants give, as text.
        String,
    ),
}

impl EngineConfig {
    /// What vLLM would run with on that chip: blocks of 16 tokens, 256 sequences, requests of up to 32,768 tokens.
    #[must_use]
    pub const fn for_chip(chip: ChipProfile) -> Self {
        Self {
            chip,
            block_tokens: 16,
            kv_blocks: chip.kv_tokens / 16,
            batch_tokens: chip.batch_tokens,
            max_sequences: 256,
            max_model_tokens: 32_768,
            prefix_caching: true,
        }
    }

    /// Checks that every request the engine accepts can finish.
    ///
    /// # Errors
    ///
    /// Where a limit is zero, the cache is too small for the longest request, or steps take no sensible time.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let limits = [
            ("block_tokens", self.block_tokens),
            ("kv_blocks", self.kv_blocks),
            ("batch_tokens", self.batch_tokens),
            ("max_sequences", self.max_sequences),
            ("max_model_tokens", self.max_model_tokens),
        ];
        if let Some((name, _)) = limits.into_iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError::Zero(name));
        }
        let needed = self.max_model_tokens.div_ceil(self.block_tokens);
        if needed > self.kv_blocks {
            let Self {
                max_model_tokens,
                kv_blocks,
                ..
            } = *self;
            return Err(ConfigError::ModelLongerThanCache {
                max_model_tokens,
                needed,
                kv_blocks,
            });
        }
        self.validate_times()
    }

    fn validate_times(&self) -> Result<(), ConfigError> {
        let chip = &self.chip;
        let constants = [
            chip.prefill_base_ms,
            chip.prefill_ms_per_token,
            chip.attention_ms_per_pair,
            chip.decode_base_ms,
            chip.decode_ms_per_sequence,
            chip.decode_ms_per_context_token,
            chip.host_ms,
        ];
        match constants
            .into_iter()
            .find(|ms| !ms.is_finite() || *ms < 0.0)
        {
            Some(bad) => Err(ConfigError::StepTime(bad.to_string())),
            None if chip.decode_base_ms + chip.host_ms < 0.001 => {
                Err(ConfigError::StepTime("0".to_owned()))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_could_never_finish() {
        let good = EngineConfig::for_chip(ChipProfile::named("8b-l40s").expect("in the table"));
        assert_eq!(good.validate(), Ok(()));

        let zero = EngineConfig {
            batch_tokens: 0,
            ..good.clone()
        };
        assert_eq!(zero.validate(), Err(ConfigError::Zero("batch_tokens")));

        let small = EngineConfig {
            kv_blocks: 10,
            ..good.clone()
        };
        assert!(matches!(
            small.validate(),
            Err(ConfigError::ModelLongerThanCache { needed: 2_048, .. })
        ));

        let mut nan = good.clone();
        nan.chip.host_ms = f64::NAN;
        assert!(matches!(nan.validate(), Err(ConfigError::StepTime(_))));

        let mut instant = good;
        (instant.chip.decode_base_ms, instant.chip.host_ms) = (0.0, 0.0);
        assert!(matches!(instant.validate(), Err(ConfigError::StepTime(_))));
    }
}
