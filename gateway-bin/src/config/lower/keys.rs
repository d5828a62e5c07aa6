//! Keys: hashes, ends and permissions onto one ring.

use gateway_govern::keys::{KeyEntry, KeyRing, RingError};

use super::cx::Cx;
use crate::config::{ConfigError, file::KeyFile, yaml::Path};

pub(super) fn lower(keys: &[KeyFile], cx: &Cx<'_>) -> Result<KeyRing, ConfigError> {
    let entries = keys.iter().map(|key| KeyEntry {
        name: key.name.clone(),
        hash: key.hash.0,
        models: key.models.clone(),
        expires_unix: key.expires.map(|end| end.0),
        explain: key.explain,
    });
    KeyRing::new(entries).map_err(|error| {
        let (RingError::DuplicateName(twin) | RingError::DuplicateHash(_, twin)) = &error;
        let last = keys
            .iter()
            .rposition(|key| key.name == *twin)
            .unwrap_or_default();
        cx.invalid(&Path::default().key("keys").index(last), error)
    })
}
