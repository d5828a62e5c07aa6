//! The gateway itself, as its users run it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The gateway's release binary, built now; `$GATEWAY_BINARY` names another to be used in its place.
///
/// # Errors
/// Where it does not build.
pub fn gateway_binary() -> Result<PathBuf> {
    if let Some(named) = env::var_os("GATEWAY_BINARY").filter(|path| !path.is_empty()) {
        return Ok(named.into());
    }
    let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build
        .args(["build", "--release", "--package", "gateway-bin"])
        .args(["--bin", "gateway"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stderr(Stdio::inherit());
    let output = build
        .output()
        .with_context(|| format!("starting {build:?}"))?;
    ensure!(output.status.success(), "{build:?}: {}", output.status);
    let messages = String::from_utf8_lossy(&output.stdout);
    let found = messages.lines().find_map(executable);
    found.with_context(|| format!("{build:?} made no gateway"))
}

/// The path in cargo's message about the gateway's binary, where this is that.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    (message["target"]["name"] == "gateway").then_some(())?;
    message["executable"].as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_binary_among_the_messages_of_cargo() {
        let library =
            r#"{"reason":"compiler-artifact","target":{"name":"gateway_bin"},"executable":null}"#;
        let binary = r#"{"reason":"compiler-artifact","target":{"name":"gateway"},"executable":"/t/release/gateway"}"#;
        let end = r#"{"reason":"build-finished","success":true}"#;
        let found = [library, binary, end].into_iter().filter_map(executable);
        assert_eq!(found.collect::<Vec<_>>(), [Path::new("/t/release/gateway")]);
        assert_eq!(executable("warning: not JSON"), None);
    }
}
