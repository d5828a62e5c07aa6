//! Routes of which later ones stand in for earlier ones.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The first of several routes that an engine is known to have.
///
/// What was found holds until the engine is met dead: it may come back in another version, or with other flags.
#[derive(Debug, Default)]
pub(super) struct Rung(AtomicUsize);

impl Rung {
    /// Where to begin; behind the last route where none is there.
    pub(super) fn known(&self) -> usize {
        self.0.load(Relaxed)
    }

    pub(super) fn settle(&self, at: usize) {
        self.0.store(at, Relaxed);
    }

    pub(super) fn forget(&self) {
        self.settle(0);
    }
}

/// Everything that is found out so about one engine.
#[derive(Debug, Default)]
pub(super) struct Rungs {
    pub(super) tokens: Rung,
    pub(super) health: Rung,
    pub(super) load: Rung,
    pub(super) metrics: Rung,
}

impl Rungs {
    pub(super) fn forget(&self) {
        for rung in [&self.tokens, &self.health, &self.load, &self.metrics] {
            rung.forget();
        }
    }
}
