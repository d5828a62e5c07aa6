//! What is measured: the engines themselves, or a relay in front of them.

mod gateway;
mod nginx;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::args::Relay;
use crate::clock::Clock;
use crate::fault::Fault;
use crate::load::{Client, Kind, Prompts, Serials, Target};
use crate::process::{Child, Usage};

pub(crate) use nginx::{install as install_nginx, version as nginx_version};

/// Longest wait for a relay's first good reply.
const READY_LIMIT: Duration = Duration::from_secs(15);
/// Between two attempts; start-up times are no finer than this.
const ATTEMPT_EVERY: Duration = Duration::from_millis(1);
/// Body of the requests that ask whether a relay is up, in bytes.
const PROBE_BODY: usize = 512;

/// What all relays of a run share.
#[derive(Debug)]
pub(crate) struct Bench {
    /// The engine's two ports.
    pub(crate) engines: [SocketAddr; 2],
    /// Shared with the engine.
    pub(crate) clock: Clock,
    /// One for the whole run.
    pub(crate) serials: Serials,
    /// The gateway's binary, when it is to be measured.
    pub(crate) gateway: Option<PathBuf>,
}

/// A relay that serves, with the time it took to.
#[derive(Debug)]
pub(crate) struct Running {
    /// Where to send the load.
    pub(crate) target: Target,
    /// From the start of the process to the first good reply.
    pub(crate) start_up: Duration,
    child: Child,
    name: &'static str,
    // Configuration and log; goes last.
    _folder: TempDir,
}

/// How to start a relay.
struct Launch {
    name: &'static str,
    command: Command,
    address: SocketAddr,
    folder: TempDir,
}

impl Bench {
    /// The engines without a relay.
    pub(crate) fn direct(&self) -> Target {
        Target {
            addresses: self.engines.to_vec(),
            clock: self.clock,
        }
    }

    /// Starts a relay and waits for its first good reply.
    ///
    /// # Errors
    /// It cannot be started, ends, or serves nothing in time.
    pub(crate) async fn start(&self, relay: Relay) -> Result<Running, Fault> {
        let launch = match relay {
            Relay::Nginx => nginx::launch(self.engines)?,
            Relay::Gateway => gateway::launch(
                self.gateway
                    .as_deref()
                    .expect("found before the first round"),
                self.engines,
            )?,
        };
        self.wait_until_up(launch).await
    }

    async fn wait_until_up(&self, mut launch: Launch) -> Result<Running, Fault> {
        let prompts = Prompts::new(Kind::Whole, PROBE_BODY, &self.serials);
        let mut request = Vec::new();
        let began = self.clock.nanos();
        let mut child = Child::spawn(&mut launch.command, &launch.folder.path().join("log"))
            .map_err(Fault::io(format!("start {}", launch.name)))?;
        let mut last = "no attempt".to_owned();
        while self.clock.since(began) < READY_LIMIT {
            let serial = prompts.write_next(&mut request);
            let attempt = Client::new(launch.address)
                .exchange_once(&request, serial)
                .await;
            let Err(fault) = attempt else {
                let target = Target {
                    addresses: vec![launch.address],
                    clock: self.clock,
                };
                let start_up = self.clock.since(began);
                return Ok(Running {
                    target,
                    start_up,
                    child,
                    name: launch.name,
                    _folder: launch.folder,
                });
            };
            if child.has_ended() {
                return Err(Fault::Died {
                    name: launch.name,
                    log: child.log_tail(),
                });
            }
            last = fault.to_string();
            tokio::time::sleep(ATTEMPT_EVERY).await;
        }
        Err(Fault::NotReady {
            name: launch.name,
            seconds: READY_LIMIT.as_secs(),
            last,
            log: child.log_tail(),
        })
    }
}

impl Running {
    /// Reads CPU time and memory of the relay's processes.
    pub(crate) fn usage(&self) -> Usage {
        Usage::read(&self.child.pids())
    }

    /// Fails when the relay has ended on its own.
    ///
    /// # Errors
    /// [`Fault::Died`].
    pub(crate) fn still_runs(&mut self) -> Result<(), Fault> {
        if self.child.has_ended() {
            return Err(Fault::Died {
                name: self.name,
                log: self.child.log_tail(),
            });
        }
        Ok(())
    }
}

/// A loopback port that was free a moment ago.
fn free_address() -> Result<SocketAddr, Fault> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(Fault::io("find a free port"))
}

/// A folder for a relay's configuration and log.
fn folder() -> Result<TempDir, Fault> {
    tempfile::Builder::new()
        .prefix("relay-bench-")
        .tempdir()
        .map_err(Fault::io("make a folder"))
}
