//! The record of a decision: what the debug header, the log and the offline tool show.

use serde::Serialize;

use crate::{Stage, health::Availability, load::Load};

/// Everything that led to one choice.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explanation {
    /// The model asked for.
    pub model: String,
    /// The stage an endpoint was chosen for.
    pub stage: Stage,
    /// Prompt length in tokens, an estimate in text mode.
    pub prompt_tokens: u32,
    /// Who was ruled out by which filter.
    pub filtered: Vec<FilteredOut>,
    /// Soft filters that were skipped because they would have left nobody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
    /// Who was left, with scores.
    pub candidates: Vec<ExplainedCandidate>,
    /// The picker that chose.
    pub picker: String,
    /// The chosen endpoint's name.
    pub chosen: Option<String>,
}

/// An endpoint that a filter ruled out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FilteredOut {
    /// The endpoint's name.
    pub endpoint: String,
    /// The filter's name.
    pub by: String,
}

/// An endpoint that could have been chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedCandidate {
    /// The endpoint's name.
    pub endpoint: String,
    /// Its availability.
    pub availability: Availability,
    /// Its load at that time.
    pub load: Load,
    /// Prompt tokens it was believed to hold.
    pub cached_tokens: u32,
    /// Each scorer's word.
    pub scores: Vec<ExplainedScore>,
    /// The weighted sum.
    pub total: f32,
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
