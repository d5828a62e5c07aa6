//! Starting an engine, and the handle on one that runs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::config::{KvEventsConfig, SimConfig};
use super::faults::FaultSpec;
use super::kv::KvPublisher;
use super::server;
use super::shell::{Life, Shell};
use super::stats::{LastRequest, SimStats};
use crate::model::{ConfigError, ModelMetrics};
use crate::text::Voice;

/// Starts simulated engines.
#[derive(Debug)]
pub struct SimEngine;

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration names no model.
    #[error("`models` must name at least one model")]
    NoModel,
    /// Time would stand still or run backwards.
    #[error("`time_scale` must be between 0.001 and 100000, not {0}")]
    TimeScale(f64),
    /// The address cannot be bound.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// An address of the KV events cannot be bound.
    #[error("cannot publish KV events on {addr}: {source}")]
    KvEvents {
        /// The address.
        addr: SocketAddr,
        /// What ZeroMQ said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SimEngine {
    /// Binds and serves until the handle is dropped, shut down or a fault kills the engine.
    ///
    /// # Errors
    ///
    /// Where the configuration cannot run or an address cannot be bound.
    pub async fn start(config: SimConfig) -> Result<RunningEngine, StartError> {
        Self::start_with(config, Voice::Plain).await
    }

    /// The same with a model's own tokenizer, template and script.
    ///
    /// # Errors
    ///
    /// Where the configuration cannot run or an address cannot be bound.
    pub async fn start_with(config: SimConfig, voice: Voice) -> Result<RunningEngine, StartError> {
        if config.models.is_empty() {
            return Err(StartError::NoModel);
        }
        if !(0.001..=100_000.0).contains(&config.time_scale) {
            return Err(StartError::TimeScale(config.time_scale));
        }
        config.engine.validate()?;
        let listen_error = |source| StartError::Listen {
            addr: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(listen_error)?;
        let addr = listener.local_addr().map_err(listen_error)?;
        let (feed, publisher) = match config.kv_events.clone() {
            Some(events) => {
                let (feed, publisher) =
                    KvPublisher::bind(events, config.engine.block_tokens).await?;
                (Some(feed), Some(publisher))
            }
            None => (None, None),
        };
        let shell = Arc::new(Shell::new(config, voice, feed)?);
        let mut tasks = JoinSet::new();
        if let Some(publisher) = publisher {
            tasks.spawn(publisher.run(shell.life.subscribe()));
        }
        tasks.spawn(Arc::clone(&shell).drive());
        tasks.spawn(server::accept(listener, Arc::clone(&shell)));
        Ok(RunningEngine { addr, shell, tasks })
    }
}

/// An engine that runs. Dropping it kills the engine.
#[derive(Debug)]
pub struct RunningEngine {
    addr: SocketAddr,
    shell: Arc<Shell>,
    tasks: JoinSet<()>,
}

impl RunningEngine {
    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its base URL, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where its KV events come out, with the ports that were bound; none where it publishes none.
    #[must_use]
    pub fn kv_events(&self) -> Option<&KvEventsConfig> {
        self.shell.kv.as_ref().map(|feed| &feed.bound)
    }

    /// Orders a fault. Those that happen at once have happened when this returns, but connections take a moment to close.
    pub fn inject(&self, fault: FaultSpec) {
        self.shell.inject(fault);
    }

    /// Takes back all faults; a dead engine stays dead.
    pub fn clear_faults(&self) {
        self.shell.clear_faults();
    }

    /// The faults ordered now, with the counts they have left.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultSpec> {
        self.shell.faults.armed()
    }

    /// Drops the prefix cache, as `POST /reset_prefix_cache` does. It is published with the next store.
    pub fn reset_prefix_cache(&self) {
        self.shell.reset_prefix_cache();
    }

    /// What it counted so far.
    #[must_use]
    pub fn stats(&self) -> SimStats {
        self.shell.stats()
    }

    /// The scheduler's own gauges and counters.
    #[must_use]
    pub fn model_metrics(&self) -> ModelMetrics {
        self.shell.measure().0
    }

    /// The last request for generation as it arrived, headers and all.
    #[must_use]
    pub fn last_request(&self) -> LastRequest {
        self.shell.counters.last()
    }

    /// Whether it still accepts connections.
    #[must_use]
    pub fn is_up(&self) -> bool {
        !self.shell.is_frozen()
    }

    /// Kills the engine and waits until its sockets are closed.
    pub async fn shutdown(mut self) {
        self.shell.become_at_least(Life::Dead);
        while self.tasks.join_next().await.is_some() {}
    }

    /// Waits until the engine has died, for a process that does nothing else.
    pub async fn wait(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Drop for RunningEngine {
    fn drop(&mut self) {
        self.shell.become_at_least(Life::Dead);
    }
}
