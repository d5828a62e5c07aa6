//! One server and its life.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::super::http;
use super::super::install::Installed;
use super::super::metrics::Metrics;
use super::super::process::{Server, free_port};
use super::super::talk::Peer;
use super::command::{self, Setup};

/// A start takes about a minute alone and many on a loaded machine.
const START_LIMIT: Duration = Duration::from_secs(900);

/// A running engine.
#[derive(Debug)]
pub(in super::super) struct Engine {
    pub(in super::super) name: &'static str,
    pub(in super::super) url: String,
    pub(in super::super) setup: Setup,
    port: u16,
    installed: Installed,
    logs: PathBuf,
    server: Server,
    lives: u32,
}

/// Starts engines side by side and waits for all of them.
pub(in super::super) fn start_all<const N: usize>(
    setups: [(&'static str, Setup); N],
    installed: &Installed,
    logs: &Path,
) -> Result<[Engine; N]> {
    let mut engines = Vec::with_capacity(N);
    for (name, setup) in setups {
        engines.push(Engine::launch(name, setup, installed, logs)?);
    }
    for engine in &mut engines {
        engine.wait_until_up()?;
    }
    Ok(engines.try_into().expect("as many engines as setups"))
}

impl Engine {
    fn launch(
        name: &'static str,
        setup: Setup,
        installed: &Installed,
        logs: &Path,
    ) -> Result<Self> {
        let port = free_port()?;
        let mut command = command::serve(installed, port, &setup);
        Ok(Self {
            name,
            url: format!("http://127.0.0.1:{port}"),
            server: Server::start(&format!("engine-{name}"), &mut command, logs)?,
            setup,
            port,
            installed: installed.clone(),
            logs: logs.to_owned(),
            lives: 1,
        })
    }

    /// Starts it again where it was, after [`kill`](Self::kill), and waits until it answers.
    pub(in super::super) fn start_again(&mut self) -> Result<()> {
        self.lives += 1;
        let life = format!("engine-{}-{}", self.name, self.lives);
        let mut command = command::serve(&self.installed, self.port, &self.setup);
        self.server = Server::start(&life, &mut command, &self.logs)?;
        self.wait_until_up()
    }

    fn wait_until_up(&mut self) -> Result<()> {
        let health = format!("{}/health", self.url);
        self.server.wait_until_up(&health, START_LIMIT).map(drop)
    }

    /// The engine, asked without the gateway.
    pub(in super::super) fn peer(&self) -> Peer {
        Peer::new(&self.url)
    }

    /// The engine's own metrics, read now.
    pub(in super::super) fn metrics(&self) -> Result<Metrics> {
        Ok(Metrics::parse(&http::get(&format!(
            "{}/metrics",
            self.url
        ))?))
    }

    /// Requests that the engine works on or has queued.
    pub(in super::super) fn in_hand(&self) -> Result<f64> {
        let metrics = self.metrics()?;
        Ok(metrics.sum("vllm:num_requests_running") + metrics.sum("vllm:num_requests_waiting"))
    }

    /// SIGKILL to every process of this engine.
    pub(in super::super) fn kill(&mut self) -> Result<()> {
        self.server.kill().map(drop)
    }

    /// Stops every process of this engine where it is; its connections stay open.
    pub(in super::super) fn freeze(&self) -> Result<()> {
        self.server.freeze()
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    pub(in super::super) fn thaw(&self) -> Result<()> {
        self.server.thaw()
    }
}
