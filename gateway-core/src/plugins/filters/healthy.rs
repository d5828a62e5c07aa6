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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        health::Availability,
        plugins::testing::{candidates, cx, uniform},
    };

    #[test]
    fn keeps_only_those_that_are_up() {
        let fleet = uniform(4);
        let mut all = candidates(&fleet);
        let states = [
            Availability::Up,
            Availability::Down,
            Availability::Open,
            Availability::Draining,
        ];
        all.iter_mut()
            .zip(states)
            .for_each(|(c, availability)| c.availability = availability);
        let kept: Vec<_> = all.iter().map(|c| Healthy.keep(&cx(1), c)).collect();
        assert_eq!(kept, [true, false, false, false]);
    }
}
