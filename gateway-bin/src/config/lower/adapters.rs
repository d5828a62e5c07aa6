//! LoRA adapters that are loaded on demand.

use std::collections::BTreeMap;

use gateway_router::{AdapterSettings, LoadableAdapter};

use super::cx::Cx;
use crate::config::{ConfigError, file::AdapterFile, yaml::Path};

pub(super) fn lower(files: &[AdapterFile], cx: &Cx<'_>) -> Result<AdapterSettings, ConfigError> {
    let mut loadable = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        let path = Path::default().key("adapters").index(at);
        for (key, value) in [
            ("name", &file.name),
            ("model", &file.model),
            ("path", &file.path),
        ] {
            if value.is_empty() {
                return Err(cx.invalid(&path.key(key), "must not be empty"));
            }
        }
        let adapter = LoadableAdapter {
            model: file.model.clone(),
            path: file.path.clone(),
        };
        if file.name == file.model || loadable.insert(file.name.clone(), adapter).is_some() {
            let reason = "give each adapter a name of its own";
            return Err(cx.invalid(&path.key("name"), reason));
        }
    }
    Ok(AdapterSettings {
        loadable,
        ..AdapterSettings::default()
    })
}
