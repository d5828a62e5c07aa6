//! The engine in question.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::super::http;
use super::super::metrics::Metrics;
use super::super::process::Server;
use super::super::talk::Peer;

/// SGLang starts in one to two minutes alone, in many on a loaded machine.
const START_LIMIT: Duration = Duration::from_secs(900);

/// What the checks have to know of a kind of engine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// What the gateway must find it to be, and its name as an endpoint.
    pub(super) name: &'static str,
    /// Its gauges of requests that it works on or has queued.
    pub(super) in_hand: [&'static str; 2],
    /// Whether it is asked for streams of ids.
    pub(super) streams_ids: bool,
}

/// A running engine that serves the tiny model.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) kind: Kind,
    pub(super) url: String,
    server: Server,
}

impl Subject {
    /// Starts `command`, which listens at `port`.
    pub(super) fn launch(
        kind: Kind,
        port: u16,
        command: &mut Command,
        logs: &Path,
    ) -> Result<Self> {
        Ok(Self {
            kind,
            url: format!("http://127.0.0.1:{port}"),
            server: Server::start(&format!("engine-{}", kind.name), command, logs)?,
        })
    }

    /// Waits until it answers.
    pub(super) fn wait_until_up(&mut self) -> Result<()> {
        let health = format!("{}/health", self.url);
        self.server.wait_until_up(&health, START_LIMIT).map(drop)
    }

    /// The engine, asked without the gateway.
    pub(super) fn peer(&self) -> Peer {
        Peer::new(&self.url)
    }

    /// Requests that it works on or has queued.
    pub(super) fn in_hand(&self) -> Result<f64> {
        let metrics = Metrics::parse(&http::get(&format!("{}/metrics", self.url))?);
        let [running, waiting] = self.kind.in_hand;
        Ok(metrics.sum(running) + metrics.sum(waiting))
    }

    /// SIGKILL to every process of it.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.server.kill().map(drop)
    }
}
