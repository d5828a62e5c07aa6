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
use super::vllm::{CONTEXT_TOKENS, Engine};
use super::{BY_PREFIX, BY_TOKENS, MODEL, http};

const KEY: &str = "real-engines-key";

/// Looks at nothing but who holds the prompt's beginning.
const BY_PREFIX_ALONE: &str = "{ filters: [healthy, serves-model], scorers: [prefix-affinity] }";

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

    /// Stops it and starts another one in its place, which has to learn all anew.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.server.kill()?;
        self.server = serve("gateway-again", &self.binary, &self.folder, &self.peer.url)?;
        Ok(())
    }
}

/// Starts the gateway and waits until it is ready. `model` is the folder of the model's files.
pub(super) fn start(
    binary: &Path,
    engines: &[Engine],
    model: &Path,
    folder: &Path,
) -> Result<Gateway> {
    let port = free_port()?;
    fs::write(folder.join(CONFIG), yaml(port, engines, model))
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

fn yaml(port: u16, engines: &[Engine], model: &Path) -> String {
    let hash: String = Sha256::digest(KEY)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut text = format!(
        "listen: 127.0.0.1:{port}\n\
         keys:\n  - {{ name: checks, hash: \"sha256:{hash}\" }}\n\
         models:\n  - {{ name: {MODEL} }}\n\
         \x20 - name: {BY_PREFIX}\n    pipeline: {BY_PREFIX_ALONE}\n\
         \x20 - name: {BY_TOKENS}\n    pipeline: {BY_PREFIX_ALONE}\n\
         \x20   tokens: {{ files: {model:?}, context_tokens: {CONTEXT_TOKENS} }}\n\
         endpoints:\n"
    );
    for Engine {
        name, url, events, ..
    } in engines
    {
        writeln!(
            text,
            "  - name: {name}\n    url: \"{url}\"\n    kind: vllm\n    models: [{MODEL}, {BY_PREFIX}, {BY_TOKENS}]\n    \
             kv_events: {{ bind: true, address: \"tcp://127.0.0.1:{}\", replay: \"tcp://127.0.0.1:{}\", topic: {} }}",
            events.port, events.replay_port, events.topic
        )
        .expect("writing to a string");
    }
    text
}
