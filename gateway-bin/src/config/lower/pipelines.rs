//! Pipelines: names to plug-ins.

use std::collections::BTreeSet;

use gateway_core::{
    PipelineSpec, Pipelines, PluginSpec, Registry,
    pipeline::{ModelPipelines, PipelinesSpec},
};

use super::cx::Cx;
use crate::config::{
    ConfigError,
    file::{ModelFile, PipelineFile, StageFile},
    yaml::Path,
};

pub(super) fn model_names(
    models: &[ModelFile],
    cx: &Cx<'_>,
) -> Result<BTreeSet<String>, ConfigError> {
    let mut names = BTreeSet::new();
    for (at, model) in models.iter().enumerate() {
        if !names.insert(model.name.clone()) {
            let path = Path::default().key("models").index(at).key("name");
            return Err(cx.invalid(
                &path,
                format_args!("model `{}` is listed twice", model.name),
            ));
        }
    }
    Ok(names)
}

pub(super) fn lower(
    default: Option<&PipelineFile>,
    models: &[ModelFile],
    cx: &Cx<'_>,
) -> Result<Pipelines, ConfigError> {
    let registry = Registry::builtin();
    let path = Path::default().key("pipeline");
    let default = default
        .map(|file| build(&registry, file, &path, cx))
        .transpose()?;
    let mut pipelines = Pipelines::new(default.unwrap_or_default());
    for (at, model) in models.iter().enumerate() {
        let Some(file) = &model.pipeline else {
            continue;
        };
        let path = Path::default().key("models").index(at).key("pipeline");
        pipelines = pipelines.model(&model.name, build(&registry, file, &path, cx)?);
    }
    Ok(pipelines)
}

fn build(
    registry: &Registry,
    file: &PipelineFile,
    path: &Path,
    cx: &Cx<'_>,
) -> Result<ModelPipelines, ConfigError> {
    let staged = file.unified.is_some() || file.prefill.is_some() || file.decode.is_some();
    let plain = file.filters.is_some() || file.scorers.is_some() || file.picker.is_some();
    if staged && plain {
        let reason = "write either `filters`, `scorers` and `picker` here, or one pipeline under each of `unified`, \
                      `prefill` and `decode`";
        return Err(cx.invalid(path, reason));
    }
    let stage = |stage: &StageFile| {
        whole(
            stage.filters.as_ref(),
            stage.scorers.as_ref(),
            stage.picker.as_ref(),
        )
    };
    let spec = if staged {
        PipelinesSpec {
            unified: file.unified.as_ref().map(stage),
            prefill: file.prefill.as_ref().map(stage),
            decode: file.decode.as_ref().map(stage),
            ..PipelinesSpec::default()
        }
    } else {
        let unified = whole(
            file.filters.as_ref(),
            file.scorers.as_ref(),
            file.picker.as_ref(),
        );
        PipelinesSpec {
            unified: Some(unified),
            ..PipelinesSpec::default()
        }
    };
    ModelPipelines::build(registry, &spec).map_err(|error| {
        // A plain pipeline is built as that of whole requests, which its author never wrote.
        let inner = if staged {
            &*error.path
        } else {
            error.path.strip_prefix("unified.").unwrap_or(&error.path)
        };
        cx.invalid(&path.follow(inner), &error.kind)
    })
}

/// A pipeline in which the parts that were left out are the default's.
fn whole(
    filters: Option<&Vec<PluginSpec>>,
    scorers: Option<&Vec<PluginSpec>>,
    picker: Option<&PluginSpec>,
) -> PipelineSpec {
    let default = PipelineSpec::default();
    PipelineSpec {
        filters: filters.cloned().unwrap_or(default.filters),
        scorers: scorers.cloned().unwrap_or(default.scorers),
        picker: picker.cloned().unwrap_or(default.picker),
    }
}
