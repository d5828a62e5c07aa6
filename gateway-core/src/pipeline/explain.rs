//! The record of a decision: what the debug header, the log and the offline tool show.

use serde::Serialize;

use crate::{
    Endpoint, Stage, health::Availability, latency::Forecast, load::Load, plugin::Candidate,
};

/// Everything that led to one choice.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explanation {
    /// The model asked for.
    pub model: String,
    /// The stage an endpoint was chosen for.
    pub stage: Stage,
    /// Prompt length in tokens, an estimate in text mode.
    pub prompt_tokens: u32,
    /// The LoRA adapter asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
    /// Who was ruled out by which filter.
    pub filtered: Vec<FilteredOut>,
    /// Soft filters that were skipped because they would have left nobody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
    /// Whether so many of the model's endpoints were out that no breaker was asked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub panic: bool,
    /// Who was left, with scores.
    pub candidates: Vec<ExplainedCandidate>,
    /// The picker that chose.
    pub picker: String,
    /// The chosen endpoint's name.
    pub chosen: Option<String>,
    /// In split pools, the halves of the pair that was weighed against one engine for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<Box<ExplainedPair>>,
}

/// A pair that was weighed against one engine for everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ExplainedPair {
    /// Whether the pair was chosen.
    pub split: bool,
    /// Who could compute the prompt.
    pub prefill: Explanation,
    /// Who could generate the output.
    pub decode: Explanation,
}

impl ExplainedPair {
    /// Forgets what was found, and keeps what was asked.
    pub(super) fn clear(&mut self) {
        self.prefill.clear();
        self.decode.clear();
    }
}

impl Explanation {
    /// The same question for another stage, not yet answered.
    pub(super) fn of_stage(&self, stage: Stage) -> Self {
        Self {
            model: self.model.clone(),
            prompt_tokens: self.prompt_tokens,
            adapter: self.adapter.clone(),
            stage,
            ..Self::default()
        }
    }

    /// Forgets what was found, and keeps what was asked.
    pub(super) fn clear(&mut self) {
        self.filtered.clear();
        self.skipped.clear();
        self.panic = false;
        self.candidates.clear();
        self.chosen = None;
    }
}

/// An endpoint that a filter ruled out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FilteredOut {
    /// The endpoint's name.
    pub endpoint: String,
    /// The filter's name.
    pub by: String,
    /// Its availability, where that is not the best.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
}

impl FilteredOut {
    /// An endpoint that is well, ruled out by `by`.
    pub(super) fn new(endpoint: impl Into<String>, by: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            by: by.into(),
            availability: None,
        }
    }

    /// The same of an endpoint that may not be well.
    pub(super) fn of(candidate: &Candidate<'_>, by: &str) -> Self {
        let availability = candidate.availability;
        Self {
            availability: (availability != Availability::Up).then_some(availability),
            ..Self::new(candidate.endpoint.name(), by)
        }
    }
}

/// An endpoint that could have been chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedCandidate {
    /// The endpoint's name.
    pub endpoint: String,
    /// Who lists it, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it has of the LoRA adapter asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter: Option<AdapterThere>,
    /// Its availability.
    pub availability: Availability,
    /// Its load at that time.
    pub load: Load,
    /// Prompt tokens it was believed to hold.
    pub cached_tokens: u32,
    /// Where that belief comes from.
    pub cached: CachedTokens,
    /// What the request was predicted to meet there.
    pub forecast: ExplainedForecast,
    /// Each scorer's word.
    pub scores: Vec<ExplainedScore>,
    /// The weighted sum.
    pub total: f32,
}

/// What an endpoint has of a LoRA adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AdapterThere {
    /// It computes for it now, by its own word.
    Running,
    /// It is loaded.
    Loaded,
    /// It would have to be loaded.
    ToLoad,
}

impl AdapterThere {
    /// What `endpoint` has of `adapter`.
    pub(super) fn of(endpoint: &Endpoint, adapter: &str) -> Self {
        if endpoint.state().adapters().runs(adapter) == Some(true) {
            Self::Running
        } else if endpoint.has_adapter(adapter) {
            Self::Loaded
        } else {
            Self::ToLoad
        }
    }
}

/// Prompt tokens that an endpoint is believed to hold, by source; sources may overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CachedTokens {
    /// On the device, by the engine's events.
    pub device: u32,
    /// Beyond those, in a lower tier, by the engine's events.
    pub lower: u32,
    /// By what was sent there before.
    pub own: u32,
}

/// A forecast in short, to thousandths. Times are in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ExplainedForecast {
    /// Prompts ahead of it.
    pub wait_ms: f32,
    /// Its own prompt.
    pub prefill_ms: f32,
    /// Time to its first token.
    pub ttft_ms: f32,
    /// What each of its output tokens costs the requests already there, all of them together.
    pub interference_ms: f32,
    /// Share of the KV cache that active requests would hold with it.
    pub occupancy: f32,
    /// Output tokens expected of it.
    pub output_tokens: f32,
}

impl ExplainedForecast {
    /// What of `forecast` a reader of explanations wants to see.
    #[must_use]
    pub fn of(forecast: &Forecast) -> Self {
        let per_token = forecast.prefill_ms / forecast.output_tokens.max(1.0);
        let short = |value: f64| ((value * 1_000.0).round() / 1_000.0) as f32;
        Self {
            wait_ms: short(forecast.wait_ms),
            prefill_ms: short(forecast.prefill_ms),
            ttft_ms: short(forecast.ttft_ms),
            interference_ms: short(forecast.requests * (per_token + forecast.added_ms)),
            occupancy: short(forecast.occupancy),
            output_tokens: short(forecast.output_tokens),
        }
    }
}

/// One scorer's word on one candidate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedScore {
    /// The scorer's name.
    pub scorer: String,
    /// Its share in the total, 0 to 1.
    pub share: f32,
    /// Its score, 0 to 1.
    pub score: f32,
}
