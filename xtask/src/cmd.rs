//! Running other programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::host;

/// The folder that holds the workspace's `Cargo.toml`.
#[must_use]
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies one level below the workspace root")
        .to_owned()
}

/// `cargo`, the same one that runs this, in `root`.
#[must_use]
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(host::var("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs to the end with output to the terminal.
///
/// # Errors
/// When the program cannot be started or ends with a failure.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// Runs to the end and returns standard output.
///
/// # Errors
/// As for [`run`], with standard error in the message; also when the output is not UTF-8.
pub fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} ended with {}: {stderr}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("output of {command:?}"))
}

/// `cargo metadata` without dependencies: the workspace's own packages.
///
/// # Errors
/// When cargo fails or answers something that is not JSON.
pub fn metadata(root: &Path) -> Result<Value> {
    let text = capture(cargo(root).args(["metadata", "--no-deps", "--format-version", "1"]))?;
    serde_json::from_str(&text).context("cargo metadata")
}

/// The folder that builds go to, inside the checkout unless the user moved it.
///
/// # Errors
/// As for [`metadata`].
pub fn target_dir(root: &Path) -> Result<PathBuf> {
    let metadata = metadata(root)?;
    let dir = metadata["target_directory"]
        .as_str()
        .context("cargo metadata names no target directory")?;
    Ok(dir.into())
}
