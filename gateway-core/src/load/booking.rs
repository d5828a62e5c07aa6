//! The guard that gives booked load back.

use std::sync::Arc;

use super::{EndpointState, RequestLoad};

/// One request's load on one endpoint, held from the moment of the choice until this guard is dropped.
///
/// Dropping is the only way to release it, so no path (error, cancel, panic) can leak or release twice.
#[derive(Debug)]
#[must_use = "dropping a booking releases the load at once"]
pub struct Booking {
    state: Arc<EndpointState>,
    load: RequestLoad,
    prefilling: bool,
}

impl Booking {
    pub(super) fn new(state: Arc<EndpointState>, load: RequestLoad) -> Self {
        state
            .ledger()
            .enter(load.uncached_tokens, load.context_tokens);
        Self {
            state,
            load,
            prefilling: true,
        }
    }

    /// The first token has come: the prompt no longer queues. Later calls do nothing.
    pub fn first_token(&mut self) {
        if std::mem::take(&mut self.prefilling) {
            self.state.ledger().prefilled(self.load.uncached_tokens);
        }
    }
}

impl Drop for Booking {
    fn drop(&mut self) {
        self.first_token();
        self.state.ledger().leave(self.load.context_tokens);
    }
}
