//! Which pipeline decides: one per model and stage, with a default.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Pipeline, PipelineSpec, Registry, SpecError, SplitRule, Stages};
use crate::Stage;

/// The pipelines of one model (or of all that have none of their own), one per stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelinesSpec {
    /// For whole requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unified: Option<PipelineSpec>,
    /// For the prefill leg of a pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill: Option<PipelineSpec>,
    /// For the decode leg of a pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decode: Option<PipelineSpec>,
    /// When a request is split between two engines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<SplitRule>,
}

/// Built pipelines of one model. A stage without its own uses the default's.
#[derive(Clone, Debug, Default)]
pub struct ModelPipelines {
    stages: BTreeMap<Stage, Arc<Pipeline>>,
    split: Option<SplitRule>,
}

impl ModelPipelines {
    /// Builds what is declared.
    ///
    /// # Errors
    /// With the path inside the spec, such as `prefill.scorers[0]`.
    pub fn build(registry: &Registry, spec: &PipelinesSpec) -> Result<Self, SpecError> {
        let declared = [
            (Stage::Unified, "unified", &spec.unified),
            (Stage::Prefill, "prefill", &spec.prefill),
            (Stage::Decode, "decode", &spec.decode),
        ];
        let mut stages = BTreeMap::new();
        for (stage, name, pipeline) in declared {
            let Some(pipeline) = pipeline else { continue };
            let built = registry.build(pipeline).map_err(|error| SpecError {
                path: format!("{name}.{}", error.path),
                kind: error.kind,
            })?;
            stages.insert(stage, Arc::new(built));
        }
        Ok(Self {
            stages,
            split: spec.split,
        })
    }

    /// Uses `pipeline` for `stage`.
    #[must_use]
    pub fn with(mut self, stage: Stage, pipeline: Pipeline) -> Self {
        self.stages.insert(stage, Arc::new(pipeline));
        self
    }
}

/// All pipelines in force.
#[derive(Clone, Debug)]
pub struct Pipelines {
    fallback: Arc<Pipeline>,
    default: ModelPipelines,
    models: BTreeMap<String, ModelPipelines>,
}

impl Pipelines {
    /// The same pipelines for every model.
    #[must_use]
    pub fn new(default: ModelPipelines) -> Self {
        Self {
            fallback: Arc::new(Pipeline::default()),
            default,
            models: BTreeMap::new(),
        }
    }

    /// Gives a model its own pipelines.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>, pipelines: ModelPipelines) -> Self {
        self.models.insert(name.into(), pipelines);
        self
    }

    /// The pipeline for a model and stage: its own, else the default's, else the default's for whole requests, else the
    /// built-in default.
    #[must_use]
    pub fn of(&self, model: &str, stage: Stage) -> &Arc<Pipeline> {
        let own = self.models.get(model);
        own.and_then(|own| own.stages.get(&stage))
            .or_else(|| self.default.stages.get(&stage))
            .or_else(|| own.and_then(|own| own.stages.get(&Stage::Unified)))
            .or_else(|| self.default.stages.get(&Stage::Unified))
            .unwrap_or(&self.fallback)
    }
}

impl Pipelines {
    /// The pipelines of a model for split pools.
    #[must_use]
    pub fn stages(&self, model: &str) -> Stages {
        let own = self.models.get(model).and_then(|own| own.split);
        Stages {
            unified: Arc::clone(self.of(model, Stage::Unified)),
            prefill: Arc::clone(self.of(model, Stage::Prefill)),
            decode: Arc::clone(self.of(model, Stage::Decode)),
            split: own.or(self.default.split).unwrap_or_default(),
        }
    }
}

impl Default for Pipelines {
    fn default() -> Self {
        Self::new(ModelPipelines::default())
    }
}

impl From<Pipeline> for Pipelines {
    /// One pipeline for everything.
    fn from(pipeline: Pipeline) -> Self {
        Self::new(ModelPipelines::default().with(Stage::Unified, pipeline))
    }
}
