//! The gateway's process.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::client::{self, KEY};

/// Builds the binary with `--release`.
///
/// # Errors
/// The build fails.
pub(crate) fn build() -> Result<PathBuf> {
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
        .output()?;
    ensure!(output.status.success(), "the gateway does not build");
    let messages = String::from_utf8_lossy(&output.stdout);
    let path = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        (message["target"]["name"] == "gateway").then_some(())?;
        message["executable"].as_str().map(PathBuf::from)
    });
    path.context("the build made no gateway")
}

/// A gateway that serves one model in two ways; it ends with this.
pub(crate) struct Gateway {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    process: Child,
    _folder: TempDir,
}

impl Gateway {
    /// Starts it in front of `engine` and waits until it is ready.
    ///
    /// # Errors
    /// It does not start or does not become ready.
    pub(crate) fn start(binary: &Path, engine: SocketAddr, model: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let config = folder.path().join("gateway.yaml");
        fs::write(&config, configuration(address, engine, model))?;
        let process = Command::new(binary)
            .arg("serve")
            .arg("--config")
            .arg(&config)
            .stdout(Stdio::null())
            .spawn()?;
        let gateway = Self {
            address,
            process,
            _folder: folder,
        };
        for _ in 0..500 {
            if client::is_ready(address) {
                return Ok(gateway);
            }
            sleep(Duration::from_millis(20));
        }
        bail!("the gateway does not become ready")
    }

    /// CPU time of its threads so far.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            // A thread of the blocking pool may end between the two lines; it is idle then.
            let Ok(times) = fs::read_to_string(thread?.path().join("schedstat")) else {
                continue;
            };
            nanos += times
                .split(' ')
                .next()
                .and_then(|first| first.parse().ok())
                .unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanos))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configuration(listen: SocketAddr, engine: SocketAddr, model: &Path) -> String {
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
  - name: text
  - name: tokens
    tokens:
      files: {}
      context_tokens: 131072
endpoints:
  - name: a
    url: \"http://{engine}\"
    kind: vllm
    models: [text, tokens]
log:
  level: error
",
        model.display()
    )
}
