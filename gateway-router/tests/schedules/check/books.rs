//! The books of the whole fleet: nothing is left in them, and nothing was spent that was not there.

use std::collections::HashSet;

use super::Outcome;
use crate::{
    engine::{Room, What},
    world::World,
};

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

/// What one engine holds for another goes to it once.
pub(super) fn nothing_is_fetched_twice(outcome: &Outcome<'_>, world: &World) {
    let seed = outcome.plan.seed;
    assert_eq!(
        world.handovers.asked_twice(),
        0,
        "seed {seed}: fetched twice"
    );
}

pub(super) fn budgets_are_kept(outcome: &Outcome<'_>) {
    let seed = outcome.plan.seed;
    let settings = &outcome.plan.settings;
    let has_pairs = outcome.plan.connector.is_some();
    let requests = outcome.told.len() as f32;
    let retries = outcome
        .reports
        .iter()
        .map(|one| one.attempts.saturating_sub(1));
    let retries: u32 = retries.sum();
    let most = settings.retry.budget_burst as f32 + requests * settings.retry.budget_ratio;
    // What a pair could not serve is served whole, as part of the request.
    assert!(
        has_pairs || retries as f32 <= most,
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
    for report in &outcome.reports {
        let attempts = report.attempts;
        assert!(
            has_pairs || attempts <= settings.retry.attempts,
            "seed {seed}: {attempts} attempts"
        );
        if report.leg.resumes.is_some() {
            assert!(
                settings.migration.enabled,
                "seed {seed}: taken up all the same"
            );
        }
    }
}

/// Ids are unique at each engine, whatever process is behind its name.
pub(super) fn every_attempt_is_told_and_none_is_repeated(outcome: &Outcome<'_>) {
    let seed = outcome.plan.seed;
    if outcome.plan.connector.is_some() {
        // Both halves of a pair are asked in one attempt, and a half may be asked for the whole once more.
        return;
    }
    let asked = outcome.journal.iter().filter(|one| one.what == What::Asked);
    let (mut count, mut known) = (0, HashSet::new());
    for entry in asked {
        count += 1;
        let is_new = known.insert((entry.engine, &entry.id));
        assert!(
            is_new,
            "seed {seed}: {} came twice to {}",
            entry.id, entry.engine
        );
    }
    let told: u32 = outcome.reports.iter().map(|one| one.attempts).sum();
    assert_eq!(told, count, "seed {seed}: attempts told");
}
