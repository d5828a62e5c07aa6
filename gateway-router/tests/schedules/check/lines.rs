//! The lines of those who wait for room.

use std::time::Duration;

use super::Outcome;
use crate::world::World;

pub(super) fn nobody_waits(outcome: &Outcome<'_>, world: &World) {
    let seed = outcome.plan.seed;
    for (name, class) in world.rig.router.admission() {
        let waiting = (class.waiting, class.waiting_tokens);
        assert_eq!(waiting, (0, 0), "seed {seed}: of class {name}");
    }
}

/// A request that found room.
#[derive(Debug)]
#[expect(dead_code, reason = "names for whoever reads a failed check")]
struct Placed<'a> {
    id: &'a str,
    priority: i8,
    came: Duration,
    at: Duration,
    endpoint: Option<&'a str>,
}

/// Nobody who comes later and matters less finds room before somebody who waits.
pub(super) fn classes_keep_their_order(outcome: &Outcome<'_>) {
    // Halves of pairs have room for different requests.
    if outcome.plan.settings.admission.is_none() || outcome.plan.connector.is_some() {
        return;
    }
    let placed = outcome.told.iter().filter_map(|told| {
        let mut reports = outcome.reports.iter();
        let first = reports.find(|one| {
            one.request_id == told.plan.id && !one.leg.is_continuation() && one.attempts > 0
        })?;
        Some(Placed {
            id: &told.plan.id,
            priority: told.plan.priority,
            came: told.plan.comes,
            at: told.plan.comes + first.queued,
            endpoint: first.endpoint.as_deref(),
        })
    });
    let placed: Vec<_> = placed.collect();
    for above in &placed {
        let later = |one: &&Placed<'_>| one.priority < above.priority && one.came > above.came;
        for below in placed.iter().filter(later) {
            assert!(
                below.at >= above.at,
                "seed {}: {below:?} went before {above:?}",
                outcome.plan.seed,
            );
        }
    }
}
