//! Second engines beside silent ones: for all models, and for single ones.

use gateway_router::{HedgeSettings, Hedges};

use super::cx::Cx;
use crate::config::{
    ConfigError,
    file::{ConfigFile, HedgeFile},
    yaml::Path,
};

pub(super) fn lower(file: &ConfigFile, cx: &Cx<'_>) -> Result<Hedges, ConfigError> {
    let general = settings(&file.hedge, &Path::default().key("hedge"), cx)?;
    let mut models = Vec::new();
    for (at, model) in file.models.iter().enumerate() {
        if let Some(own) = &model.hedge {
            let path = Path::default().key("models").index(at).key("hedge");
            models.push((model.name.clone(), settings(own, &path, cx)?));
        }
    }
    Ok(Hedges {
        general,
        models: models.into_iter().collect(),
    })
}

fn settings(
    file: &HedgeFile,
    path: &Path,
    cx: &Cx<'_>,
) -> Result<Option<HedgeSettings>, ConfigError> {
    if !(1..=100).contains(&file.at_most_percent) {
        return Err(cx.invalid(&path.key("at_most_percent"), "must be 1 to 100"));
    }
    Ok(file.after.0.map(|after| HedgeSettings {
        after,
        at_most_percent: file.at_most_percent.into(),
    }))
}
