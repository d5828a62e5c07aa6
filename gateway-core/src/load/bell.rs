//! Tells whoever waits for room that there may be some.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

type Listener = Box<dyn Fn() + Send + Sync>;

/// Rung whenever an endpoint may have got room: load was given back, a prompt is done, a reading came, an endpoint is back.
#[derive(Clone, Default)]
pub(crate) struct RoomBell(Arc<OnceLock<Listener>>);

impl RoomBell {
    /// Sets who hears it; the first one stays.
    pub(crate) fn listen(&self, listener: Listener) -> bool {
        self.0.set(listener).is_ok()
    }

    pub(crate) fn ring(&self) {
        if let Some(listener) = self.0.get() {
            listener();
        }
    }
}

impl fmt::Debug for RoomBell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoomBell")
    }
}
