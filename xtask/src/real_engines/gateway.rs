//! The gateway under test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::http;
use super::metrics::Metrics;
use super::process::{Server, free_port};
use super::talk::Peer;

const KEY: &str = "real-engines-key";

const CONFIG: &str = "gateway.yaml";
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running gateway.
#[derive(Debug)]
pub(super) struct Gateway {
    pub(super) peer: Peer,
    binary: PathBuf,
    folder: PathBuf,
    server: Server,
}

impl Gateway {
    /// The gateway's own metrics, read now.
    pub(super) fn metrics(&self) -> Result<Metrics> {
        Ok(Metrics::parse(&http::get(&format!(
            "{}/metrics",
            self.peer.url
        ))?))
    }

    /// Its gauge or counter `name` of an endpoint, where it has one.
    pub(super) fn of_endpoint(&self, endpoint: &str, name: &str) -> Option<f64> {
        let metrics = self.metrics().ok()?;
        metrics
            .labelled("endpoint", endpoint)
            .find(|sample| sample.name == name)
            .map(|sample| sample.value)
    }

    /// What it has logged so far.
    pub(super) fn log(&self) -> String {
        self.server.written()
    }

    /// Stops it and starts another one in its place, which has to learn all anew.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.server.kill()?;
        self.server = serve("gateway-again", &self.binary, &self.folder, &self.peer.url)?;
        Ok(())
    }
}

/// Starts the gateway with `config`, to which address and key are added, and waits until it is ready.
///
/// JSON is YAML, so the configuration is written as JSON.
pub(super) fn start(binary: &Path, mut config: Value, folder: &Path) -> Result<Gateway> {
    let port = free_port()?;
    let digest = Sha256::digest(KEY);
    let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    config["listen"] = format!("127.0.0.1:{port}").into();
    config["keys"] =
        json!([{ "name": "checks", "hash": format!("sha256:{hash}"), "explain": true }]);
    fs::write(folder.join(CONFIG), format!("{config:#}"))
        .context("writing the gateway's configuration")?;
    let url = format!("http://127.0.0.1:{port}");
    Ok(Gateway {
        peer: Peer::new(&url).with_key(KEY),
        server: serve("gateway", binary, folder, &url)?,
        binary: binary.to_owned(),
        folder: folder.to_owned(),
    })
}

fn serve(name: &str, binary: &Path, folder: &Path, url: &str) -> Result<Server> {
    let mut command = Command::new(binary);
    command.args(["serve", "--config"]).arg(folder.join(CONFIG));
    let mut server = Server::start(name, &mut command, folder)?;
    server.wait_until_up(&format!("{url}/ready"), START_LIMIT)?;
    Ok(server)
}
