//! A pipeline as configuration writes it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use super::UnknownPreset;
use crate::plugins::Transform;

/// One plug-in by name, with its parameters and, for filters and scorers, how the pipeline is to use it.
///
/// Written as a bare name (`healthy`) or as a map whose keys beside `name`, `weight`, `transform` and `soft` are the
/// plug-in's own parameters (`{name: softmax, temperature: 0.2}`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PluginSpec {
    /// The registered name.
    pub name: String,
    /// How much a scorer counts beside the others; 1 where unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f32>,
    /// How a scorer's scores are bent before they are weighed; not at all where unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transform: Option<Transform>,
    /// A soft filter is skipped where it would leave nobody.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub soft: bool,
    /// The plug-in's own parameters.
    #[serde(flatten)]
    pub params: Map<String, Value>,
}

impl PluginSpec {
    /// The plug-in `name` with default parameters.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            weight: None,
            transform: None,
            soft: false,
            params: Map::new(),
        }
    }

    /// Sets the weight of a scorer.
    #[must_use]
    pub fn weight(mut self, weight: f32) -> Self {
        self.weight = Some(weight);
        self
    }

    /// Bends the scores of a scorer.
    #[must_use]
    pub fn transform(mut self, transform: Transform) -> Self {
        self.transform = Some(transform);
        self
    }

    /// Makes a filter soft.
    #[must_use]
    pub fn soft(mut self) -> Self {
        self.soft = true;
        self
    }

    /// Sets a parameter.
    #[must_use]
    pub fn param(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.params.insert(key.into(), value.into());
        self
    }
}

impl<'de> Deserialize<'de> for PluginSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PluginVisitor)
    }
}

struct PluginVisitor;

impl<'de> de::Visitor<'de> for PluginVisitor {
    type Value = PluginSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plug-in's name, or a map with `name` and its parameters")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<PluginSpec, E> {
        Ok(PluginSpec::new(name))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<PluginSpec, A::Error> {
        let mut spec = PluginSpec::new("");
        let mut named = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "name" => {
                    spec.name = map.next_value()?;
                    named = true;
                }
                "weight" => spec.weight = Some(map.next_value()?),
                "transform" => spec.transform = Some(map.next_value()?),
                "soft" => spec.soft = map.next_value()?,
                _ => {
                    spec.params.insert(key, map.next_value()?);
                }
            }
        }
        if named {
            Ok(spec)
        } else {
            Err(de::Error::missing_field("name"))
        }
    }
}

/// A whole pipeline by name.
///
/// Written part by part, or as `preset: NAME`, whose filters and picker may be replaced beside it; its scorers are what it
/// is, and may not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenPipeline")]
pub struct PipelineSpec {
    /// Filters, applied in order.
    pub filters: Vec<PluginSpec>,
    /// Scorers, added up by weight.
    pub scorers: Vec<PluginSpec>,
    /// The picker.
    pub picker: PluginSpec,
}

/// A pipeline before its preset is filled in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPipeline {
    preset: Option<String>,
    filters: Option<Vec<PluginSpec>>,
    scorers: Option<Vec<PluginSpec>>,
    picker: Option<PluginSpec>,
}

/// What is wrong with a pipeline that names a preset.
#[derive(Debug, thiserror::Error)]
enum PresetError {
    #[error(transparent)]
    Unknown(#[from] UnknownPreset),
    #[error(
        "preset `{0}` brings its own scorers; write `filters` and `picker` beside it, or no preset"
    )]
    Scorers(String),
}

impl TryFrom<WrittenPipeline> for PipelineSpec {
    type Error = PresetError;

    fn try_from(written: WrittenPipeline) -> Result<Self, PresetError> {
        let base = match written.preset {
            Some(name) if written.scorers.is_some() => return Err(PresetError::Scorers(name)),
            Some(name) => Self::preset(&name)?,
            None => Self {
                filters: Vec::new(),
                scorers: Vec::new(),
                picker: best(),
            },
        };
        Ok(Self {
            filters: written.filters.unwrap_or(base.filters),
            scorers: written.scorers.unwrap_or(base.scorers),
            picker: written.picker.unwrap_or(base.picker),
        })
    }
}

fn best() -> PluginSpec {
    PluginSpec::new("best")
}

impl Default for PipelineSpec {
    /// The pipeline used where none is configured: hard facts first, then the least added latency.
    fn default() -> Self {
        let filters = ["healthy", "serves-model", "role", "labels", "exclude"];
        let mut filters: Vec<_> = filters.map(PluginSpec::new).into();
        // A place for the adapter counts before having it: where the holders are full, somebody else loads it.
        filters.push(PluginSpec::new("adapter-room").soft());
        // Where nobody who is well has the adapter, somebody who can loads it.
        filters.push(PluginSpec::new("serves-adapter").soft());
        // The prompt's length may be an estimate: where it fits nowhere the engine, which counts, has the last word.
        filters.push(PluginSpec::new("context-fits").soft());
        filters.push(PluginSpec::new("steady").soft());
        Self {
            filters,
            scorers: vec![PluginSpec::new("latency")],
            picker: best(),
        }
    }
}
