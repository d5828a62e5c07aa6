//! Keeps the router and the door in step with the configuration while the process runs.

use std::{sync::Arc, time::Duration};

use gateway_router::BuildError;
use tokio::{sync::Mutex, time};

use crate::{
    config::Config,
    discovery::Known,
    gate::{Gate, Rules},
};

/// How long an engine may take to say what it is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Applies configurations and what engines say, one at a time.
#[derive(Debug)]
pub(crate) struct Steward {
    gate: Arc<Gate>,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    config: Config,
    known: Known,
}

impl Steward {
    pub(crate) fn new(gate: Arc<Gate>, config: Config, known: Known) -> Self {
        Self {
            gate,
            current: Mutex::new(Current { config, known }),
        }
    }

    /// Puts `config` in force in one step: requests see all of it or nothing.
    ///
    /// # Errors
    /// Where its endpoints make no fleet; nothing has changed then.
    pub(crate) async fn take(&self, config: Config) -> Result<(), BuildError> {
        let mut current = self.current.lock().await;
        let fixed = fixed_changes(&current.config, &config);
        current.known.ask(&config, PATIENCE).await;
        self.gate.router.apply(current.known.settings(&config))?;
        self.gate.metrics.follow(&self.gate.router.fleet());
        self.gate.rules.store(Arc::new(Rules::of(&config)));
        if !fixed.is_empty() {
            tracing::warn!(keys = fixed.join(","), "these changes take a restart");
        }
        current.config = config;
        Ok(())
    }

    /// Asks engines that have not said what they are, until the process ends.
    pub(crate) async fn keep_asking(&self) {
        loop {
            let every = self.current.lock().await.config.router.watch.probe_every;
            time::sleep(every).await;
            let mut current = self.current.lock().await;
            let Current { config, known } = &mut *current;
            if known.ask(config, PATIENCE).await == 0 {
                continue;
            }
            match self.gate.router.apply(known.settings(config)) {
                Ok(()) => self.gate.metrics.follow(&self.gate.router.fleet()),
                Err(error) => {
                    tracing::error!(%error, "what engines say of themselves cannot be used")
                }
            }
        }
    }
}

/// The keys that changed and are read at the start only.
fn fixed_changes(old: &Config, new: &Config) -> Vec<&'static str> {
    let fleet = |config: &Config| {
        let fleet = config.router.fleet;
        (fleet.telemetry, fleet.health, fleet.prefix)
    };
    let changed = [
        ("listen", old.listen != new.listen),
        ("metrics", old.metrics_listen != new.metrics_listen),
        ("threads", old.threads != new.threads),
        ("log", old.log != new.log),
        ("drain", old.drain != new.drain),
        ("telemetry, health or prefix", fleet(old) != fleet(new)),
    ];
    changed
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(key, _)| key)
        .collect()
}
