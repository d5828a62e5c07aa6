//! Keeps the router and the door in step with the configuration while the process runs.

use std::{sync::Arc, time::Duration};

use gateway_router::BuildError;
use tokio::{
    sync::{mpsc, oneshot},
    time,
};

use crate::{
    config::Config,
    discovery::Known,
    gate::{Gate, Rules},
};

/// How long an engine may take to say what it is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Applies configurations and what engines say, one at a time, in a task of its own.
#[derive(Debug)]
pub(crate) struct Steward {
    gate: Arc<Gate>,
    config: Config,
    known: Known,
    orders: mpsc::Receiver<Order>,
}

/// A configuration to put in force, and who waits to hear of it.
#[derive(Debug)]
struct Order {
    config: Box<Config>,
    done: oneshot::Sender<Result<(), BuildError>>,
}

/// How the steward is reached.
#[derive(Clone, Debug)]
pub(crate) struct Orders(mpsc::Sender<Order>);

/// Why a configuration was not put in force.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    /// Its endpoints make no fleet.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The process is ending.
    #[error("the gateway is stopping")]
    Stopping,
}

impl Orders {
    /// Puts `config` in force in one step: requests see all of it or nothing.
    ///
    /// # Errors
    /// Where its endpoints make no fleet; nothing has changed then.
    pub(crate) async fn take(&self, config: Config) -> Result<(), OrderError> {
        let (done, heard) = oneshot::channel();
        let config = Box::new(config);
        let sent = self.0.send(Order { config, done }).await;
        sent.map_err(|_| OrderError::Stopping)?;
        Ok(heard.await.map_err(|_| OrderError::Stopping)??)
    }
}

impl Steward {
    pub(crate) fn new(gate: Arc<Gate>, config: Config, known: Known) -> (Self, Orders) {
        let (send, orders) = mpsc::channel(1);
        let steward = Self {
            gate,
            config,
            known,
            orders,
        };
        (steward, Orders(send))
    }

    /// Takes orders, and asks engines that have not said what they are, until the process ends.
    pub(crate) async fn run(mut self) {
        loop {
            let every = self.config.router.watch.probe_every;
            tokio::select! {
                Some(order) = self.orders.recv() => {
                    let taken = self.take(*order.config).await;
                    // Whoever asked may have gone meanwhile.
                    drop(order.done.send(taken));
                }
                () = time::sleep(every) => self.ask_again().await,
            }
        }
    }

    async fn take(&mut self, config: Config) -> Result<(), BuildError> {
        let fixed = fixed_changes(&self.config, &config);
        self.known.ask(&config, PATIENCE).await;
        self.gate.router.apply(self.known.settings(&config))?;
        self.gate.metrics.follow(&self.gate.router.fleet());
        self.gate.rules.store(Arc::new(Rules::of(&config)));
        if !fixed.is_empty() {
            tracing::warn!(keys = fixed.join(","), "these changes take a restart");
        }
        self.config = config;
        Ok(())
    }

    async fn ask_again(&mut self) {
        if self.known.ask(&self.config, PATIENCE).await == 0 {
            return;
        }
        match self.gate.router.apply(self.known.settings(&self.config)) {
            Ok(()) => self.gate.metrics.follow(&self.gate.router.fleet()),
            Err(error) => {
                tracing::error!(%error, "what engines say of themselves cannot be used");
            }
        }
    }
}

/// The keys that changed and are read at the start only.
fn fixed_changes(old: &Config, new: &Config) -> Vec<&'static str> {
    let fleet = |config: &Config| {
        let fleet = config.router.fleet;
        (fleet.telemetry, fleet.health, fleet.residency)
    };
    let changed = [
        ("listen", old.listen != new.listen),
        ("metrics", old.metrics_listen != new.metrics_listen),
        ("threads", old.threads != new.threads),
        ("log", old.log != new.log),
        ("drain", old.drain != new.drain),
        ("responses", old.responses != new.responses),
        ("state", old.state_file != new.state_file),
        ("telemetry, health or prefix", fleet(old) != fleet(new)),
    ];
    changed
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(key, _)| key)
        .collect()
}
