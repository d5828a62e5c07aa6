//! What outlives a request.

use std::{fmt, sync::Arc, time::Duration};

use gateway_govern::records::{Caller, Limits, Store, Usage};
use tokio::time;

use super::job::Jobs;
use crate::{clock, config::ResponsesConfig};

/// How often the store lets go what has ended.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Kept responses and conversations, and responses that are made in the background.
pub(crate) struct Desk {
    pub(super) store: Arc<dyn Store>,
    pub(super) jobs: Jobs,
    /// The store's.
    pub(super) limits: Limits,
}

impl Desk {
    /// A desk on `store`, which was opened as `config` says.
    pub(crate) fn new(store: Arc<dyn Store>, config: &ResponsesConfig) -> Self {
        Self {
            store,
            jobs: Jobs::new(config.background),
            limits: config.limits,
        }
    }

    /// Lets go, now and then, what has ended. Never returns.
    pub(crate) async fn sweep(&self) {
        loop {
            time::sleep(SWEEP_EVERY).await;
            if let Err(error) = self.store.sweep(clock::unix_seconds()).await {
                tracing::warn!(%error, "kept responses cannot be looked through");
            }
        }
    }

    /// Ends when nothing is made in the background.
    pub(crate) async fn idle(&self) {
        self.jobs.idle().await;
    }

    /// What is kept.
    pub(crate) fn usage(&self) -> Usage {
        self.store.usage()
    }

    /// How many responses are being made in the background.
    pub(crate) fn running(&self) -> usize {
        self.jobs.running()
    }
}

/// Who asks, now.
pub(super) fn caller(owner: &str) -> Caller<'_> {
    Caller {
        owner,
        now: clock::unix_seconds(),
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("usage", &self.usage())
            .field("jobs", &self.jobs)
            .finish_non_exhaustive()
    }
}
