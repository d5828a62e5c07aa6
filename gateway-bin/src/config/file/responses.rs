//! What is kept of the Responses API.

use std::{num::NonZeroUsize, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::Span;

/// Responses and conversations that are kept, and responses that are made in the background.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResponsesFile {
    /// Where they are kept.
    pub store: StoreName,
    /// The file of `sqlite`.
    pub file: Option<PathBuf>,
    /// The address of `postgres`, such as `postgres://user:secret@host:5432/database`, best as `${NAME}`.
    pub url: Option<String>,
    /// The most bytes that are kept; 268435456 in memory, 17179869184 elsewhere where unset.
    pub bytes: Option<u64>,
    /// How long something is kept that nobody uses; `24h` in memory, `720h` elsewhere where unset.
    pub lifetime: Option<Span>,
    /// The most responses that are made in the background at a time.
    pub background: NonZeroUsize,
}

impl Default for ResponsesFile {
    fn default() -> Self {
        Self {
            store: StoreName::default(),
            file: None,
            url: None,
            bytes: None,
            lifetime: None,
            background: NonZeroUsize::new(64).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

/// Where responses and conversations are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreName {
    /// In memory: a restart forgets them.
    #[default]
    Memory,
    /// In a file of this machine.
    Sqlite,
    /// In a database that several gateways share.
    Postgres,
}
