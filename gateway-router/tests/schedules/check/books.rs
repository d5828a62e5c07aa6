//! The books of the whole fleet: nothing is left in them, and nothing was spent that was not there.

use gateway_router::RouteReport;

use super::{Outcome, attempts::due_after_pairs};
use crate::{engine::Room, world::World};

pub(super) fn nothing_is_left(outcome: &Outcome<'_>, world: &World) {
    let seed = outcome.plan.seed;
    for endpoint in world.endpoints() {
        let load = endpoint.state().in_flight();
        assert_eq!(
            load,
            Default::default(),
            "seed {seed}: load of {}",
            endpoint.name()
        );
    }
    let nothing = Room {
        slots: 0,
        blocks: 0,
    };
    for engine in &world.engines {
        assert_eq!(
            engine.used(),
            nothing,
            "seed {seed}: held by {}",
            engine.name
        );
    }
}

pub(super) fn budgets_are_kept(outcome: &Outcome<'_>) {
    let seed = outcome.plan.seed;
    let settings = &outcome.plan.settings;
    let requests = outcome.told.len() as f32;
    let retries: u32 = outcome.reports.iter().map(paid).sum();
    let most = settings.retry.budget_burst as f32 + requests * settings.retry.budget_ratio;
    assert!(
        retries as f32 <= most,
        "seed {seed}: {retries} retries of {most}"
    );
    let taken_up = outcome
        .reports
        .iter()
        .filter(|one| one.leg.resumes.is_some() && one.attempts > 0);
    let taken_up = taken_up.count();
    let most = settings.migration.budget_burst as f32 + requests * settings.migration.budget_ratio;
    assert!(
        taken_up as f32 <= most,
        "seed {seed}: {taken_up} of {most} taken up"
    );
    let mut continued = outcome
        .reports
        .iter()
        .filter(|one| one.leg.resumes.is_some());
    assert!(
        settings.migration.enabled || continued.next().is_none(),
        "seed {seed}: taken up all the same"
    );
}

/// Attempts of a call that the budget has paid for.
fn paid(report: &RouteReport) -> u32 {
    let attempts = report.attempts.saturating_sub(1);
    attempts.saturating_sub(due_after_pairs(report))
}
