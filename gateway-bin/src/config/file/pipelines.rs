//! How endpoints are chosen.

use gateway_core::{PluginSpec, pipeline::SplitRule};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Filters, then scorers added up by weight, then a picker. A part that is left out is the preset's or the built-in
/// default's.
///
/// Either the parts stand here and hold for every stage, or one pipeline stands under each of `unified`, `prefill` and
/// `decode`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PipelineFile {
    /// A published policy by name, which brings its own scorers.
    pub preset: Option<String>,
    /// Who may be chosen at all; all must agree.
    #[schemars(with = "Option<Vec<PluginFile>>")]
    pub filters: Option<Vec<PluginSpec>>,
    /// Who is better.
    #[schemars(with = "Option<Vec<PluginFile>>")]
    pub scorers: Option<Vec<PluginSpec>>,
    /// Who of the better ones is taken.
    #[schemars(with = "Option<PluginFile>")]
    pub picker: Option<PluginSpec>,
    /// For whole requests.
    pub unified: Option<StageFile>,
    /// For the prefill leg of a pair.
    pub prefill: Option<StageFile>,
    /// For the decode leg of a pair.
    pub decode: Option<StageFile>,
    /// When a request is split between a prefill and a decode engine.
    #[schemars(with = "Option<SplitFile>")]
    pub split: Option<SplitRule>,
}

impl PipelineFile {
    /// The parts that stand here and hold for every stage.
    #[must_use]
    pub fn plain(&self) -> StageFile {
        StageFile {
            preset: self.preset.clone(),
            filters: self.filters.clone(),
            scorers: self.scorers.clone(),
            picker: self.picker.clone(),
        }
    }
}

/// When a request is split between a prefill and a decode engine.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum SplitFile {
    /// `predicted`: where the predicted latency is less; `always`; `never`.
    Name(String),
    /// Where the decode engine would have to compute more than so many prompt tokens.
    Above {
        /// Prompt tokens that the decode engine may have to compute itself.
        above_uncached_tokens: u32,
    },
}

/// The pipeline of one stage. A part that is left out is the preset's or the built-in default's.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StageFile {
    /// A published policy by name, which brings its own scorers.
    pub preset: Option<String>,
    /// Who may be chosen at all; all must agree.
    #[schemars(with = "Option<Vec<PluginFile>>")]
    pub filters: Option<Vec<PluginSpec>>,
    /// Who is better.
    #[schemars(with = "Option<Vec<PluginFile>>")]
    pub scorers: Option<Vec<PluginSpec>>,
    /// Who of the better ones is taken.
    #[schemars(with = "Option<PluginFile>")]
    pub picker: Option<PluginSpec>,
}

/// A plug-in: its name alone, or a map of `name`, for scorers `weight` and `transform`, for filters `soft`, and its own parameters.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum PluginFile {
    /// The name alone.
    Name(String),
    /// With parameters.
    Full {
        /// The registered name.
        name: String,
        /// How much a scorer counts beside the others; 1 where unset.
        weight: Option<f32>,
        /// A soft filter is skipped where it would leave nobody.
        soft: Option<bool>,
        /// What is done to a scorer's scores: `linear` or `logistic`, by name or as a map with its parameters.
        transform: Option<Value>,
        /// The plug-in's own parameters.
        #[schemars(flatten)]
        params: Map<String, Value>,
    },
}
