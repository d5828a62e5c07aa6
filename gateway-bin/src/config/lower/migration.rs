//! Answers that are taken up elsewhere: for all models, and for single ones.

use gateway_router::MigrationSettings;

use super::cx::Cx;
use crate::config::{ConfigError, file::ConfigFile, yaml::Path};

pub(super) fn lower(file: &ConfigFile, cx: &Cx<'_>) -> Result<MigrationSettings, ConfigError> {
    let told = &file.migration;
    let ratio = told.budget_ratio;
    if !(ratio.is_finite() && ratio >= 0.0) {
        let path = Path::default().key("migration").key("budget_ratio");
        return Err(cx.invalid(&path, "must be zero or a positive number"));
    }
    let own = file.models.iter();
    Ok(MigrationSettings {
        enabled: told.enabled,
        attempts: told.attempts.get(),
        budget_ratio: ratio,
        budget_burst: told.budget_burst,
        models: own
            .filter_map(|model| Some((model.name.clone(), model.migration?)))
            .collect(),
    })
}
