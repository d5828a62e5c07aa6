//! TLS to engines.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// What is asked of an engine's certificate, and what is shown to it. Files are PEM, beside this file where their paths are
/// relative, and are read again with each reload.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsFile {
    /// Certificates of the authorities to trust, in place of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Takes any certificate: whoever stands between can then read and change everything.
    #[serde(default)]
    pub insecure: bool,
    /// The name that the certificate must be for; the host of the address where unset.
    #[serde(default)]
    pub server_name: Option<String>,
    /// A certificate to show to the engine, with those between it and its authority.
    #[serde(default)]
    pub client_cert: Option<PathBuf>,
    /// The private key of `client_cert`.
    #[serde(default)]
    pub client_key: Option<PathBuf>,
}
