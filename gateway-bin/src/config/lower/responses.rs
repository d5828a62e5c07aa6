//! Where responses and conversations are kept.

use gateway_govern::records::{Limits, PostgresOptions};

use super::cx::Cx;
use crate::config::{
    ConfigError, DatabaseUrl, ResponsesConfig, StoreConfig,
    file::{ResponsesFile, StoreName},
    yaml::Path,
};

/// The section, checked.
pub(super) fn lower(file: &ResponsesFile, cx: &Cx<'_>) -> Result<ResponsesConfig, ConfigError> {
    let store = store(file, cx)?;
    let usual = match store {
        StoreConfig::Memory => Limits::memory(),
        StoreConfig::Sqlite(_) | StoreConfig::Postgres(_) => Limits::database(),
    };
    let seconds =
        |time: super::super::file::Span| u32::try_from(time.0.as_secs().max(1)).unwrap_or(u32::MAX);
    Ok(ResponsesConfig {
        store,
        limits: Limits {
            bytes: file.bytes.unwrap_or(usual.bytes),
            lifetime_seconds: file.lifetime.map_or(usual.lifetime_seconds, seconds),
            ..usual
        },
        background: file.background.get(),
    })
}

fn store(file: &ResponsesFile, cx: &Cx<'_>) -> Result<StoreConfig, ConfigError> {
    let section = Path::default().key("responses");
    let unused = |key, store| {
        let reason = format_args!("belongs to `store: {store}`; leave it out");
        Err(cx.invalid(&section.key(key), reason))
    };
    let needed = |key| {
        let reason = format_args!("`{key}` must say where");
        cx.invalid(&section.key("store"), reason)
    };
    match (file.store, &file.file, &file.url) {
        (StoreName::Memory | StoreName::Postgres, Some(_), _) => unused("file", "sqlite"),
        (StoreName::Memory | StoreName::Sqlite, _, Some(_)) => unused("url", "postgres"),
        (StoreName::Memory, None, None) => Ok(StoreConfig::Memory),
        (StoreName::Sqlite, Some(path), None) => Ok(StoreConfig::Sqlite(path.clone())),
        (StoreName::Sqlite, None, None) => Err(needed("file")),
        (StoreName::Postgres, None, Some(url)) => match PostgresOptions::parse(url) {
            Ok(_) => Ok(StoreConfig::Postgres(DatabaseUrl(url.clone()))),
            Err(error) => Err(cx.invalid(&section.key("url"), error)),
        },
        (StoreName::Postgres, None, None) => Err(needed("url")),
    }
}
