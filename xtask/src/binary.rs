//! The gateway's release binary.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{cmd, host};

/// The release binary, built now; `$GATEWAY_BINARY` names another to be used in its place.
///
/// # Errors
/// When it does not build.
pub fn gateway(root: &Path) -> Result<PathBuf> {
    if let Some(binary) = host::var("GATEWAY_BINARY") {
        return Ok(binary.into());
    }
    let what = ["--package", "gateway-bin", "--bin", "gateway"];
    cmd::run(cmd::cargo(root).args(["build", "--release"]).args(what))?;
    Ok(cmd::target_dir(root)?.join("release/gateway"))
}
