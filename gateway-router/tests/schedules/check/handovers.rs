//! What engines hold for each other: fetched once, or somebody says that it is not.

use gateway_router::Cleanup;

use super::Outcome;
use crate::{engine::What, world::World};

/// What one engine holds for another goes to it once.
pub(super) fn nothing_is_fetched_twice(outcome: &Outcome<'_>, world: &World) {
    let seed = outcome.plan.seed;
    let twice = world.handovers.asked_twice();
    assert_eq!(twice, 0, "seed {seed}: fetched twice");
}

/// What nobody fetched was refused by who was to fetch it, who frees it then, or a report says why it was not.
pub(super) fn what_is_left_is_told_of(outcome: &Outcome<'_>, world: &World) {
    let left = world.handovers.unfetched();
    for told in outcome.told {
        let case = outcome.case(told);
        let own: Vec<_> = left.iter().filter(|(_, id)| case.is_own(id)).collect();
        let refused = case.entries.iter().filter(|one| {
            // The half that prefills has nothing to refuse once it holds something.
            one.what == What::Refused && !own.iter().any(|(holder, _)| *holder == one.engine)
        });
        let cleanups = outcome.cleanups.iter();
        let cleanups = cleanups.filter(|one| {
            let is_holder = own.iter().any(|(holder, _)| **holder == *one.endpoint);
            one.request_id == told.plan.id
                && match one.cleanup {
                    Cleanup::LeftToLease => is_holder,
                    // Whoever left in the midst of a hand-over.
                    Cleanup::DecodeAwaited | Cleanup::DecodeCutOff => !is_holder,
                    _ => false,
                }
        });
        let excused = refused.count() + cleanups.count();
        assert!(
            own.len() <= excused,
            "{}: {own:?} is held for nobody, of {:?} and {:?}: {:#?}",
            case.at,
            case.entries,
            outcome.cleanups,
            case.reports
        );
    }
}
