//! The gateway under test, with a configuration made for the two engines.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::metrics::Metrics;
use super::process::{Server, free_port};
use super::talk::Peer;
use super::vllm::Engine;
use super::{MODEL, http};
use crate::{cmd, host};

const KEY: &str = "real-engines-key";

const START_LIMIT: Duration = Duration::from_secs(30);

/// A running gateway.
#[derive(Debug)]
pub(super) struct Gateway {
    pub(super) peer: Peer,
    _server: Server,
}

impl Gateway {
    /// The gateway's own metrics, read now.
    pub(super) fn metrics(&self) -> Result<Metrics> {
        Ok(Metrics::parse(&http::get(&format!(
            "{}/metrics",
            self.peer.url
        ))?))
    }
}

/// The release binary, built now; `$GATEWAY_BINARY` names another to be tested in its place.
pub(super) fn build(root: &Path) -> Result<PathBuf> {
    if let Some(binary) = host::var("GATEWAY_BINARY") {
        return Ok(binary.into());
    }
    cmd::run(cmd::cargo(root).args([
        "build",
        "--release",
        "--package",
        "gateway-bin",
        "--bin",
        "gateway",
    ]))?;
    Ok(cmd::target_dir(root)?.join("release/gateway"))
}

/// Starts the gateway and waits until it is ready.
pub(super) fn start(binary: &Path, engines: &[Engine], folder: &Path) -> Result<Gateway> {
    let port = free_port()?;
    let config = folder.join("gateway.yaml");
    fs::write(&config, yaml(port, engines)).context("writing the gateway's configuration")?;
    let mut command = Command::new(binary);
    command.args(["serve", "--config"]).arg(&config);
    let mut server = Server::start("gateway", &mut command, folder)?;
    let url = format!("http://127.0.0.1:{port}");
    server.wait_until_up(&format!("{url}/ready"), START_LIMIT)?;
    let peer = Peer::new(&url).with_key(KEY);
    Ok(Gateway {
        peer,
        _server: server,
    })
}

fn yaml(port: u16, engines: &[Engine]) -> String {
    let hash: String = Sha256::digest(KEY)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut text = format!(
        "listen: 127.0.0.1:{port}\n\
         keys:\n  - {{ name: checks, hash: \"sha256:{hash}\" }}\n\
         models:\n  - {{ name: {MODEL} }}\n\
         endpoints:\n"
    );
    for Engine { name, url, .. } in engines {
        writeln!(
            text,
            "  - {{ name: {name}, url: \"{url}\", kind: vllm, models: [{MODEL}] }}"
        )
        .expect("writing to a string");
    }
    text
}
