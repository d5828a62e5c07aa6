//! What must hold of every schedule.

mod answers;
mod attempts;
mod books;
mod excuses;
mod handovers;
mod legs;
mod lines;

use gateway_router::{CleanupReport, RouteReport};

use crate::{
    caller::Told,
    engine::{Entry, What},
    plan::Plan,
    world::World,
};

/// A schedule that is over.
pub(crate) struct Outcome<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) told: &'a [Told],
    pub(crate) reports: Vec<RouteReport>,
    pub(crate) cleanups: Vec<CleanupReport>,
    pub(crate) journal: Vec<Entry>,
}

/// All that is known of one request.
struct Case<'a> {
    plan: &'a Plan,
    told: &'a Told,
    reports: Vec<&'a RouteReport>,
    entries: Vec<&'a Entry>,
    /// Where a failed check is to be looked for.
    at: String,
}

impl Outcome<'_> {
    pub(crate) fn check(&self, world: &World) {
        books::nothing_is_left(self, world);
        handovers::nothing_is_fetched_twice(self, world);
        handovers::what_is_left_is_told_of(self, world);
        lines::nobody_waits(self, world);
        lines::classes_keep_their_order(self);
        books::budgets_are_kept(self);
        for told in self.told {
            let case = self.case(told);
            answers::are_as_undisturbed(&case);
            attempts::are_all_told_and_none_is_repeated(&case);
            attempts::are_bounded(&case);
            legs::are_told_once(&case);
            legs::leave_out_who_failed(&case);
            legs::count_each_token_once(&case);
            excuses::are_good(&case);
        }
    }

    fn case<'a>(&'a self, told: &'a Told) -> Case<'a> {
        let id = &told.plan.id;
        let reports = self.reports.iter().filter(|one| one.request_id == *id);
        let entries = self.journal.iter().filter(|one| is_part_of(&one.id, id));
        Case {
            plan: self.plan,
            told,
            reports: reports.collect(),
            entries: entries.collect(),
            at: format!("seed {}, {id}", self.plan.seed),
        }
    }
}

/// Whether an engine saw the request, or a part of it, under that id.
fn is_part_of(seen: &str, id: &str) -> bool {
    let rest = seen.strip_prefix(id);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

impl Case<'_> {
    fn is_own(&self, seen: &str) -> bool {
        is_part_of(seen, &self.told.plan.id)
    }

    /// Engines that died on the request, or seemed to.
    fn deaths(&self) -> usize {
        let died = self.entries.iter().filter(|entry| entry.what == What::Died);
        died.count()
    }
}
