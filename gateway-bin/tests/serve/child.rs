//! The binary as a process of its own.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) fn gateway() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command
        .env_remove("GATEWAY_KEY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Ends the process when a test fails.
pub(crate) struct Child(pub(crate) process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

impl Child {
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.0.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    }

    /// Serves with the configuration in `file`; gives the address it prints.
    pub(crate) fn serve(file: &Path) -> (Self, SocketAddr) {
        let mut command = gateway();
        command.args(["serve", "--config"]).arg(file);
        let mut child = Self(command.spawn().expect("it starts"));
        let stdout = child.0.stdout.as_mut().expect("piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let address = line.trim().rsplit("http://").next().expect("an address");
        (child, address.parse().expect("an address"))
    }

    /// Waits for the end; whether all went well, and what was logged.
    pub(crate) fn end(mut self) -> (bool, String) {
        let status = self.0.wait().expect("ended");
        let mut log = String::new();
        let mut stderr = self.0.stderr.take().expect("piped");
        stderr.read_to_string(&mut log).expect("text");
        (status.success(), log)
    }

    /// Has it drain and end; its log lines.
    pub(crate) async fn drain(self) -> Vec<Value> {
        self.signal("-TERM");
        let (well, log) = tokio::task::spawn_blocking(|| self.end())
            .await
            .expect("no panic");
        assert!(well, "{log}");
        log.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }
}

/// A file in a folder that goes with the test.
pub(crate) fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("gateway.yaml");
    std::fs::write(&file, text).expect("written");
    (folder, file)
}
