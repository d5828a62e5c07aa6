//! The gateway as a process.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, bail};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::http::{Connection, request};

/// A gateway in front of a benchmark's engines; it ends with this.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    process: Child,
    _folder: TempDir,
}

impl Gateway {
    /// The key that it takes.
    pub const KEY: &str = "key-of-the-benchmarks";

    /// Starts `binary` and waits until it is ready. `configuration` is the rest of the file: all but where it listens, its
    /// key and its log.
    ///
    /// # Errors
    /// It does not start or does not become ready within ten seconds.
    pub fn start(binary: &Path, configuration: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let file = folder.path().join("gateway.yaml");
        fs::write(&file, beginning(address) + configuration)?;
        let mut command = Command::new(binary);
        command.arg("serve").arg("--config").arg(&file);
        let gateway = Self {
            address,
            process: command.stdout(Stdio::null()).spawn()?,
            _folder: folder,
        };
        for _ in 0..500 {
            if is_ready(address) {
                return Ok(gateway);
            }
            sleep(Duration::from_millis(20));
        }
        bail!("the gateway does not become ready")
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time of its threads so far.
    ///
    /// # Errors
    /// It has ended.
    pub fn cpu(&self) -> Result<Duration> {
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
        // A process that cannot be killed has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn beginning(listen: SocketAddr) -> String {
    let mut hash = String::new();
    for byte in Sha256::digest(Gateway::KEY) {
        let _ = write!(hash, "{byte:02x}");
    }
    format!(
        "listen: {listen}\nkeys:\n  - name: bench\n    hash: \"sha256:{hash}\"\nlog:\n  level: error\n"
    )
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || {
        let mut connection = Connection::connect(address)?;
        connection.ask(&request("GET /ready", address, &[], b""))?;
        connection.body()
    };
    ask().is_ok()
}
