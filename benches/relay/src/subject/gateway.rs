//! The gateway with keys checked and its default, prefix-aware pipeline.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::{Launch, folder, free_address};
use crate::engine::MODEL;
use crate::fault::Fault;
use crate::load::KEY;

/// Builds the gateway in release mode and returns the binary's path.
///
/// # Errors
/// The build fails or makes no such binary.
pub(crate) fn binary() -> Result<PathBuf, Fault> {
    let arguments = [
        "build",
        "--release",
        "-p",
        "gateway-bin",
        "--message-format=json-render-diagnostics",
    ];
    let output = Command::new("cargo")
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .map_err(Fault::io("run cargo"))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let built = messages
        .lines()
        .find_map(executable)
        .filter(|_| output.status.success());
    built.ok_or_else(|| Fault::Command {
        command: format!("cargo {}", arguments.join(" ")),
    })
}

/// The path in cargo's message about the gateway's binary, if this is it.
fn executable(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    (message["target"]["name"] == "gateway").then_some(())?;
    message["executable"].as_str().map(PathBuf::from)
}

/// The gateway in front of `engines`.
pub(super) fn launch(binary: &Path, engines: [SocketAddr; 2]) -> Result<Launch, Fault> {
    let (folder, address) = (folder()?, free_address()?);
    let configuration = folder.path().join("gateway.yaml");
    fs::write(&configuration, config(address, engines))
        .map_err(Fault::io("write the gateway's configuration"))?;
    let mut command = Command::new(binary);
    command.arg("serve").arg("--config").arg(&configuration);
    Ok(Launch {
        name: "gateway",
        command,
        address,
        folder,
    })
}

/// Defaults but for the log: no line per request, as nginx writes none.
fn config(listen: SocketAddr, [first, second]: [SocketAddr; 2]) -> String {
    let hash: String = Sha256::digest(KEY)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "listen: {listen}
keys:
  - name: bench
    hash: \"sha256:{hash}\"
models:
  - name: {MODEL}
endpoints:
  - name: a
    url: \"http://{first}\"
    kind: vllm
    models: [{MODEL}]
  - name: b
    url: \"http://{second}\"
    kind: vllm
    models: [{MODEL}]
log:
  level: warn
"
    )
}
