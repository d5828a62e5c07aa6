//! The outcome of a decision.

use std::sync::Arc;

use crate::{Endpoint, load::Booking};

/// A choice with its load booked; dropping it gives the load back.
#[derive(Debug)]
#[must_use = "dropping a placement releases its load at once"]
pub struct Placement {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) booking: Booking,
    pub(super) cached_tokens: u32,
    pub(super) candidates: u32,
}

impl Placement {
    /// The chosen endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// Prompt tokens that the endpoint was believed to hold.
    #[must_use]
    pub fn cached_tokens(&self) -> u32 {
        self.cached_tokens
    }

    /// How many endpoints were left to choose from.
    #[must_use]
    pub fn candidates(&self) -> u32 {
        self.candidates
    }

    /// The first token has come: the prompt no longer queues.
    pub fn first_token(&mut self) {
        self.booking.first_token();
    }
}

/// Nobody was left to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("no endpoint can take the request: {}", self.reasons())]
pub struct NoEndpoint {
    /// How many endpoints the fleet has.
    pub endpoints: u32,
    /// Who ruled out how many, in the order of the pipeline: the filter's name and a count.
    pub ruled_out: Vec<(String, u32)>,
}

impl NoEndpoint {
    fn reasons(&self) -> String {
        if self.ruled_out.is_empty() {
            return format!("{} endpoints, none picked", self.endpoints);
        }
        let each: Vec<_> = self
            .ruled_out
            .iter()
            .map(|(name, count)| format!("{name} ruled out {count}"))
            .collect();
        format!("of {} endpoints {}", self.endpoints, each.join(", "))
    }
}
