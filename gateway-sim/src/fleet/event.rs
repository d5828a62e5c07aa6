//! What happens in a fleet, and in which order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gateway_core::Timestamp;

use crate::model::Request;

/// A request that comes to the router.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When.
    pub at: Timestamp,
    /// What it asks, under a name of its own.
    pub request: Request,
}

/// Something that happens to an engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incident {
    /// When.
    pub at: Timestamp,
    /// To which one.
    pub engine: usize,
    /// What.
    pub kind: IncidentKind,
}

/// What can happen to an engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum IncidentKind {
    /// It dies, and what was in it is lost.
    Die,
    /// It comes back with an empty cache.
    Recover,
    /// Its steps take so many times as long from now on.
    Slow(f64),
}

/// What is due. At one moment, the order is that of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// An incident, by its place in the list.
    Incident(usize),
    /// An engine has a step to end or to start.
    Step(usize),
    /// All engines are asked for their metrics.
    Scrape,
    /// An arrival, by its place in the list.
    Arrival(usize),
}

/// What is due next, in order of time.
#[derive(Debug, Default)]
pub(super) struct Agenda(BinaryHeap<Reverse<(Timestamp, Due)>>);

impl Agenda {
    pub(super) fn add(&mut self, at: Timestamp, due: Due) {
        self.0.push(Reverse((at, due)));
    }

    pub(super) fn next(&mut self) -> Option<(Timestamp, Due)> {
        self.0.pop().map(|Reverse(entry)| entry)
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
