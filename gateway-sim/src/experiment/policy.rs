//! What is compared.

use std::{fmt, sync::Arc};

use crate::replay::Router;

/// A way to choose engines, under a name. Each run gets a router of its own.
#[derive(Clone)]
pub struct Policy {
    /// Its name.
    pub name: String,
    make: Arc<Make>,
}

type Make = dyn Fn(u64) -> Box<dyn Router> + Send + Sync;

impl Policy {
    /// A policy whose routers `make` builds from a seed.
    pub fn new(
        name: impl Into<String>,
        make: impl Fn(u64) -> Box<dyn Router> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            make: Arc::new(make),
        }
    }

    pub(super) fn router(&self, seed: u64) -> Box<dyn Router> {
        (self.make)(seed)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
