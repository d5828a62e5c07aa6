//! Models: names to files, files to what serves them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use gateway_proto::text::model::{ModelFiles, ModelOptions, TextModel};

use super::cx::Cx;
use crate::config::{
    ConfigError, ModelStamp, ServedModel,
    file::{ModelFile, TokensFile},
    yaml::Path,
};

/// The models with settings of their own.
pub(super) fn lower(
    models: &[ModelFile],
    cx: &Cx<'_>,
) -> Result<BTreeMap<String, ServedModel>, ConfigError> {
    check_names(models, cx)?;
    let entries = models.iter().enumerate().map(|(at, model)| {
        let path = Path::default().key("models").index(at);
        Ok((model.name.clone(), one(model, &path, cx)?))
    });
    entries.collect()
}

/// Each model has one entry.
pub(super) fn check_names(models: &[ModelFile], cx: &Cx<'_>) -> Result<(), ConfigError> {
    let mut names = BTreeSet::new();
    for (at, model) in models.iter().enumerate() {
        if !names.insert(&*model.name) {
            let path = Path::default().key("models").index(at).key("name");
            let reason = format_args!("model `{}` is listed twice", model.name);
            return Err(cx.invalid(&path, reason));
        }
    }
    Ok(())
}

fn one(model: &ModelFile, path: &Path, cx: &Cx<'_>) -> Result<ServedModel, ConfigError> {
    if model.tokens.is_some() && !model.pass_through.is_empty() {
        let reason = "a model that is served by tokens passes nothing through: leave out `tokens` or `pass_through`";
        return Err(cx.invalid(&path.key("pass_through"), reason));
    }
    let (tokens, stamp) = match &model.tokens {
        Some(tokens) => {
            let (model, stamp) = kept_or_loaded(tokens, &path.key("tokens"), cx)?;
            (Some(model), Some(stamp))
        }
        None => (None, None),
    };
    Ok(ServedModel {
        tokens,
        stamp,
        pass_through: model.pass_through.clone(),
        media: model.media,
    })
}

/// The model as it is in force, where nothing of it has changed; else made anew.
fn kept_or_loaded(
    file: &TokensFile,
    path: &Path,
    cx: &Cx<'_>,
) -> Result<(Arc<TextModel>, ModelStamp), ConfigError> {
    // Looked at before it is read: what changes meanwhile is read again next time.
    let stamp = ModelStamp::now(Places::of(file, cx).all(), format!("{file:?}"));
    let same = |known: &&ServedModel| known.stamp.as_ref() == Some(&stamp);
    if let Some(model) = cx
        .known
        .values()
        .find(same)
        .and_then(|one| one.tokens.clone())
    {
        return Ok((model, stamp));
    }
    Ok((Arc::new(load(file, path, cx)?), stamp))
}

/// Where a model's files are, or would be.
struct Places {
    tokenizer: PathBuf,
    tokenizer_config: PathBuf,
    template: PathBuf,
    generation_config: PathBuf,
    config: PathBuf,
}

impl Places {
    fn of(file: &TokensFile, cx: &Cx<'_>) -> Self {
        let base = cx.file.parent().unwrap_or_else(|| FilePath::new(""));
        let folder = base.join(&file.files);
        let own = |named: &Option<PathBuf>, usual: &str| {
            named
                .as_ref()
                .map_or_else(|| folder.join(usual), |named| base.join(named))
        };
        Self {
            tokenizer: own(&file.tokenizer, "tokenizer.json"),
            tokenizer_config: folder.join("tokenizer_config.json"),
            template: own(&file.template, "chat_template.jinja"),
            generation_config: folder.join("generation_config.json"),
            config: folder.join("config.json"),
        }
    }

    fn all(self) -> Vec<PathBuf> {
        vec![
            self.tokenizer,
            self.tokenizer_config,
            self.template,
            self.generation_config,
            self.config,
        ]
    }
}

fn load(file: &TokensFile, path: &Path, cx: &Cx<'_>) -> Result<TextModel, ConfigError> {
    let files = read(file, path, cx)?;
    let options = ModelOptions {
        family: file.parser,
        reasoning: file.reasoning.clone(),
        context_tokens: file.context_tokens,
        stop_token_ids: file.stop_token_ids.clone(),
        stops: file.stop.clone(),
        defaults: file.defaults.into(),
        allows_request_templates: file.request_templates,
        turn_cache_bytes: file.turn_cache_bytes,
    };
    TextModel::load(&files, &options).map_err(|error| cx.invalid(path, error))
}

fn read(file: &TokensFile, path: &Path, cx: &Cx<'_>) -> Result<ModelFiles, ConfigError> {
    let places = Places::of(file, cx);
    let required = |key: &str, name: &FilePath| {
        fs::read(name).map_err(|error| cx.invalid(&path.key(key), unreadable(name, &error)))
    };
    let optional = |name: &FilePath| match fs::read(name) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cx.invalid(&path.key("files"), unreadable(name, &error))),
    };
    let tokenizer_key = if file.tokenizer.is_some() {
        "tokenizer"
    } else {
        "files"
    };
    let template = if file.template.is_some() {
        Some(required("template", &places.template)?)
    } else {
        optional(&places.template)?
    };
    Ok(ModelFiles {
        tokenizer: required(tokenizer_key, &places.tokenizer)?,
        tokenizer_config: optional(&places.tokenizer_config)?,
        chat_template: template
            .map(String::from_utf8)
            .transpose()
            .map_err(|error| cx.invalid(&path.key("template"), error))?,
        generation_config: optional(&places.generation_config)?,
        config: optional(&places.config)?,
    })
}

fn unreadable(name: &FilePath, error: &io::Error) -> String {
    format!("cannot read {}: {error}", name.display())
}
