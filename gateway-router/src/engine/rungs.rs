//! Routes of which later ones stand in for earlier ones.

use std::sync::atomic::{
    AtomicU32, AtomicUsize,
    Ordering::{AcqRel, Relaxed},
};

/// Times that a route which stands in for another is asked before the other is tried again.
const TRIED_AGAIN_AFTER: u32 = 60;

/// The first of several routes that an engine is known to have.
///
/// What was found holds until the engine is met dead: it may come back in another version, or with other flags.
#[derive(Debug, Default)]
pub(super) struct Rung {
    at: AtomicUsize,
    /// Times that it was begun at a later one than the first.
    later: AtomicU32,
}

impl Rung {
    /// Where to begin; behind the last route where none is there.
    pub(super) fn known(&self) -> usize {
        self.at.load(Relaxed)
    }

    /// The same for small questions that are asked over and over: now and then the first one, as it may have been missing
    /// for a moment only, such as while the engine started.
    pub(super) fn begin(&self) -> usize {
        let known = self.known();
        if known == 0 {
            return 0;
        }
        let is_due = |later| Some((later + 1) % TRIED_AGAIN_AFTER);
        match self.later.fetch_update(AcqRel, Relaxed, is_due) {
            Ok(later) if later + 1 == TRIED_AGAIN_AFTER => 0,
            _ => known,
        }
    }

    pub(super) fn settle(&self, at: usize) {
        self.at.store(at, Relaxed);
    }

    pub(super) fn forget(&self) {
        self.settle(0);
        self.later.store(0, Relaxed);
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
