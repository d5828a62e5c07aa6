//! Sampling where a request leaves it open.

use serde::Deserialize;

use super::ModelError;
use crate::ir::Sampling;

/// Defaults of one model; `None` leaves it to the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Defaults {
    /// 0 is greedy.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Only the likeliest so many tokens.
    pub top_k: Option<i64>,
    /// Only tokens of at least this share of the likeliest one's probability.
    pub min_p: Option<f64>,
    /// Above 1 makes repetition less likely.
    pub repetition_penalty: Option<f64>,
    /// The most tokens of an answer.
    pub max_tokens: Option<u64>,
}

impl Defaults {
    /// What is unset here as `other` has it.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            temperature: self.temperature.or(other.temperature),
            top_p: self.top_p.or(other.top_p),
            top_k: self.top_k.or(other.top_k),
            min_p: self.min_p.or(other.min_p),
            repetition_penalty: self.repetition_penalty.or(other.repetition_penalty),
            max_tokens: self.max_tokens.or(other.max_tokens),
        }
    }

    /// Fills in what `sampling` leaves open, its length aside.
    pub(super) fn fill(&self, sampling: &mut Sampling) {
        sampling.temperature = sampling.temperature.or(self.temperature);
        sampling.top_p = sampling.top_p.or(self.top_p);
        sampling.top_k = sampling.top_k.or(self.top_k);
        sampling.min_p = sampling.min_p.or(self.min_p);
        sampling.repetition_penalty = sampling.repetition_penalty.or(self.repetition_penalty);
    }
}

/// What is read of `generation_config.json`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct GenerationConfig {
    eos_token_id: Option<Ids>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    min_p: Option<f64>,
    repetition_penalty: Option<f64>,
    max_new_tokens: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Ids {
    One(u32),
    Many(Vec<u32>),
}

impl GenerationConfig {
    pub(super) fn parse(json: Option<&[u8]>) -> Result<Self, ModelError> {
        let Some(json) = json else {
            return Ok(Self::default());
        };
        serde_json::from_slice(json).map_err(|source| ModelError::Json {
            file: "generation_config.json",
            source,
        })
    }

    pub(super) fn eos(&self) -> Vec<u32> {
        match &self.eos_token_id {
            None => Vec::new(),
            Some(Ids::One(id)) => vec![*id],
            Some(Ids::Many(ids)) => ids.clone(),
        }
    }

    pub(super) fn defaults(&self) -> Defaults {
        Defaults {
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            max_tokens: self.max_new_tokens,
        }
    }
}

/// What is read of `config.json`: the context's length and the end of answers, of the text part in models of several.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ModelConfig {
    max_position_embeddings: Option<u32>,
    n_positions: Option<u32>,
    eos_token_id: Option<Ids>,
    text_config: Option<Box<ModelConfig>>,
}

impl ModelConfig {
    pub(super) fn parse(json: Option<&[u8]>) -> Result<Self, ModelError> {
        let Some(json) = json else {
            return Ok(Self::default());
        };
        serde_json::from_slice(json).map_err(|source| ModelError::Json {
            file: "config.json",
            source,
        })
    }

    pub(super) fn context_tokens(&self) -> Option<u32> {
        let own = self.max_position_embeddings.or(self.n_positions);
        own.or_else(|| self.text_config.as_ref()?.context_tokens())
    }

    pub(super) fn eos(&self) -> Vec<u32> {
        match (&self.eos_token_id, &self.text_config) {
            (Some(Ids::One(id)), _) => vec![*id],
            (Some(Ids::Many(ids)), _) => ids.clone(),
            (None, Some(text)) => text.eos(),
            (None, None) => Vec::new(),
        }
    }
}
