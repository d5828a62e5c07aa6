//! The gateway with keys checked and its default, prefix-aware pipeline.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

use super::{Launch, folder, free_address};
use crate::engine::MODEL;
use crate::fault::Fault;
use crate::load::KEY;

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
