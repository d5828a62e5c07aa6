//! `healthy`: probes answer, the breaker is closed, nobody drains it.

use crate::{
    RouteCx,
    plugin::{Candidate, Filter},
};

/// Keeps endpoints that may be given requests.
///
/// Use it in every pipeline. Leave it hard: a soft one would send requests to dead engines when all are dead, and the
/// caller would wait for a time-out instead of getting a 503.
#[derive(Clone, Copy, Debug, Default)]
pub struct Healthy;

impl Filter for Healthy {
    fn keep(&self, _cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        candidate.availability.is_up()
    }
}
