//! The guard that gives booked load back.

use std::sync::Arc;

use super::{Demand, EndpointState, state::RequestLoad};
use crate::Timestamp;

/// One request's load on one endpoint, held from the moment of the choice until this guard is dropped.
///
/// Dropping is the only way to release it, so no path (error, cancel, panic) can leak or release twice.
#[derive(Debug)]
#[must_use = "dropping a booking releases the load at once"]
pub struct Booking {
    state: Arc<EndpointState>,
    load: RequestLoad,
    ticket: u32,
    prefilling: bool,
}

impl Booking {
    pub(super) fn new(state: Arc<EndpointState>, demand: &Demand<'_>, now: Timestamp) -> Self {
        let load = RequestLoad::of(demand);
        state
            .ledger()
            .enter(load.uncached_tokens, load.context_tokens);
        let ticket = state.work().enter(demand, now);
        Self {
            state,
            load,
            ticket,
            prefilling: true,
        }
    }

    /// The first token has come: the prompt no longer queues. `cached_tokens` is what the engine says it found in its
    /// cache. Later calls do nothing.
    pub fn first_token(&mut self, cached_tokens: Option<u32>, now: Timestamp) {
        if self.prefilled() {
            self.state
                .work()
                .first_token(self.ticket, cached_tokens, now);
            self.state.bell().ring();
        }
    }

    /// The request is the decode leg of a pair and is sent only now, and its first token is predicted to come `due_ms`
    /// milliseconds from now: what the other leg still takes, the transfer, and its own first step. Silence beyond several
    /// times that is held against the endpoint.
    pub fn handed_over(&mut self, due_ms: f64, now: Timestamp) {
        self.state.work().handed_over(self.ticket, due_ms, now);
    }

    /// The last token has come, `output_tokens` of them in all where that is known; the engine's model learns from it.
    pub fn finished(&mut self, output_tokens: Option<u32>, now: Timestamp) {
        self.state.work().finished(self.ticket, output_tokens, now);
    }

    fn prefilled(&mut self) -> bool {
        let was_prefilling = std::mem::take(&mut self.prefilling);
        if was_prefilling {
            self.state.ledger().prefilled(self.load.uncached_tokens);
        }
        was_prefilling
    }
}

impl Drop for Booking {
    fn drop(&mut self) {
        self.prefilled();
        self.state.ledger().leave(self.load.context_tokens);
        self.state.work().leave(self.ticket);
        self.state.bell().ring();
    }
}
