//! Starting an engine, and the handle on one that runs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::clock::Clock;
use super::config::{KvEventsConfig, SimConfig};
use super::faults::FaultSpec;
use super::flavour::Flavour;
use super::kv::{KvPublisher, Outlet};
use super::rank::Rank;
use super::server::{self, Door};
use super::shell::{Life, Shell};
use super::stats::{LastRequest, SimStats};
use super::transfer::{self, Transfer};
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
    /// The configuration asks for no data-parallel rank at all.
    #[error("`dp_ranks` must be at least 1")]
    NoRank,
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
    /// The engine that it stands for tells nothing of its cache.
    #[error("the surface of {} has no KV events", .0.owner())]
    NoKvEvents(Flavour),
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
        if config.dp_ranks == 0 {
            return Err(StartError::NoRank);
        }
        let (listener, addr) = bind(config.listen).await?;
        let management = match config.management {
            Some(addr) => Some(bind(addr).await?),
            None => None,
        };
        let mut side = None;
        let mut transfer = None;
        if let Some(own) = config.transfer.clone() {
            let (listener, addr) = bind(own.listen).await?;
            side = Some(listener);
            transfer = Some(Transfer::new(own, addr));
        }
        let (ranks, publishers) = ranks(&config).await?;
        let clock = Clock::start(config.time_scale);
        let shell = Arc::new(Shell::new(config, voice, clock, ranks, transfer));
        let mut tasks = JoinSet::new();
        for publisher in publishers {
            tasks.spawn(publisher.run(shell.life.subscribe()));
        }
        for rank in 0..shell.ranks.len() {
            tasks.spawn(Arc::clone(&shell).drive(rank));
        }
        if let Some(listener) = side {
            tasks.spawn(transfer::accept(listener, Arc::clone(&shell)));
        }
        let mut door = Door::All;
        let mut management_addr = None;
        if let Some((listener, addr)) = management {
            (door, management_addr) = (Door::Work, Some(addr));
            let served = server::accept(listener, Arc::clone(&shell), Door::Management);
            tasks.spawn(served);
        }
        tasks.spawn(server::accept(listener, Arc::clone(&shell), door));
        Ok(RunningEngine {
            addr,
            management_addr,
            shell,
            tasks,
        })
    }
}

async fn bind(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let error = |source| StartError::Listen { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(error)?;
    let bound = listener.local_addr().map_err(error)?;
    Ok((listener, bound))
}

/// The ranks, and what publishes the KV events of each.
async fn ranks(config: &SimConfig) -> Result<(Vec<Rank>, Vec<KvPublisher>), StartError> {
    let mut ranks = Vec::new();
    let mut publishers = Vec::new();
    for number in 0..config.dp_ranks {
        let (outlet, publisher) = Outlet::open(config, number).await?;
        publishers.extend(publisher);
        let engine = config.engine.clone();
        ranks.push(Rank::new(number, engine, config.time_scale, outlet)?);
    }
    Ok((ranks, publishers))
}

/// An engine that runs. Dropping it kills the engine.
#[derive(Debug)]
pub struct RunningEngine {
    addr: SocketAddr,
    management_addr: Option<SocketAddr>,
    shell: Arc<Shell>,
    tasks: JoinSet<()>,
}

impl RunningEngine {
    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it is asked for health, load and models, where that is another port.
    #[must_use]
    pub const fn management_addr(&self) -> Option<SocketAddr> {
        self.management_addr
    }

    /// Its base URL, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where the KV events of its first rank come out, with the ports that were bound; none where it publishes none.
    #[must_use]
    pub fn kv_events(&self) -> Option<&KvEventsConfig> {
        self.kv_events_of(0)
    }

    /// The same of any rank.
    #[must_use]
    pub fn kv_events_of(&self, rank: usize) -> Option<&KvEventsConfig> {
        let outlet = self.shell.ranks.get(rank)?.kv.as_ref()?;
        Some(&outlet.published()?.bound)
    }

    /// Where its side channel or bootstrap server listens; none where it takes no part in pairs.
    #[must_use]
    pub fn transfer_addr(&self) -> Option<SocketAddr> {
        self.shell.transfer.as_ref().map(|own| own.addr)
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

    /// The scheduler's own gauges and counters, of all ranks together.
    #[must_use]
    pub fn model_metrics(&self) -> ModelMetrics {
        self.shell.total()
    }

    /// The same of one rank; none where there is no such rank.
    #[must_use]
    pub fn rank_metrics(&self, rank: usize) -> Option<ModelMetrics> {
        let rank = self.shell.ranks.get(rank)?;
        Some(Shell::measure(rank).0)
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
