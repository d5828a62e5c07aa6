//! Who may come in.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Expiry, Hash};

/// An API key, stored as a hash. `gateway hash-key` makes one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// The name shown in logs; each key has its own.
    pub name: String,
    /// SHA-256 of the key.
    pub hash: Hash,
    /// Models that the key may use, by exact name. Empty, or with `*`, all.
    #[serde(default)]
    pub models: Vec<String>,
    /// The time from which on the key is refused; never where unset.
    #[serde(default)]
    pub expires: Option<Expiry>,
    /// Whether requests with `x-gateway-explain: 1` are told which endpoint served them and why.
    #[serde(default)]
    pub explain: bool,
}
