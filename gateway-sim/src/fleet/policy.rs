//! Who decides where requests go, and what they may know.

use gateway_core::Timestamp;

use super::Arrival;
use crate::model::{ModelMetrics, RequestId, StepOutput};

/// Decides where requests go.
///
/// A closure from arrival and time to the number of an engine is a policy that watches nothing.
pub trait Policy {
    /// The engine for a request, none to refuse it.
    fn route(&mut self, arrival: &Arrival, now: Timestamp) -> Option<usize>;

    /// Hears what happens. A policy that shall not know of something ignores it.
    fn observe(&mut self, event: &FleetEvent<'_>, now: Timestamp) {
        let _ = (event, now);
    }
}

impl<F: FnMut(&Arrival, Timestamp) -> Option<usize>> Policy for F {
    fn route(&mut self, arrival: &Arrival, now: Timestamp) -> Option<usize> {
        self(arrival, now)
    }
}

/// What a router could see of a fleet.
#[derive(Clone, Copy, Debug)]
pub enum FleetEvent<'a> {
    /// An engine ended a step: tokens came out, requests finished, the cache changed.
    Step {
        /// Which engine.
        engine: usize,
        /// What came of it.
        output: &'a StepOutput,
    },
    /// A request was lost with its engine.
    Lost {
        /// Which engine.
        engine: usize,
        /// Which request.
        id: RequestId,
    },
    /// An engine was asked for its metrics.
    Scraped {
        /// Which engine.
        engine: usize,
        /// What it said.
        metrics: &'a ModelMetrics,
    },
}
