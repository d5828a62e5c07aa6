//! Pipelines: names to plug-ins.

use gateway_core::{
    PipelineSpec, Pipelines, Registry,
    pipeline::{ModelPipelines, PipelinesSpec},
};

use super::cx::Cx;
use crate::config::{
    ConfigError,
    file::{ModelFile, PipelineFile, StageFile},
    yaml::Path,
};

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
    let plain = file.plain();
    if staged && plain != StageFile::default() {
        let reason = "write either `preset`, `filters`, `scorers` and `picker` here, or one pipeline under each of \
                      `unified`, `prefill` and `decode`";
        return Err(cx.invalid(path, reason));
    }
    let stage = |name: &str, stage: &Option<StageFile>| {
        let whole = |stage| whole(stage, &path.key(name), cx);
        stage.as_ref().map(whole).transpose()
    };
    let spec = PipelinesSpec {
        unified: if staged {
            stage("unified", &file.unified)?
        } else {
            Some(whole(&plain, path, cx)?)
        },
        prefill: stage("prefill", &file.prefill)?,
        decode: stage("decode", &file.decode)?,
        split: file.split,
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

/// A pipeline in which the parts that were left out are the preset's or the default's.
fn whole(stage: &StageFile, path: &Path, cx: &Cx<'_>) -> Result<PipelineSpec, ConfigError> {
    let base = match &stage.preset {
        Some(name) if stage.scorers.is_some() => {
            let reason = format_args!(
                "preset `{name}` brings its own scorers; write `filters` and `picker` beside it, or no preset"
            );
            return Err(cx.invalid(&path.key("scorers"), reason));
        }
        Some(name) => PipelineSpec::preset(name)
            .map_err(|unknown| cx.invalid(&path.key("preset"), unknown))?,
        None => PipelineSpec::default(),
    };
    Ok(PipelineSpec {
        filters: stage.filters.clone().unwrap_or(base.filters),
        scorers: stage.scorers.clone().unwrap_or(base.scorers),
        picker: stage.picker.clone().unwrap_or(base.picker),
    })
}
