//! What must hold of every schedule.

mod answers;
mod books;
mod excuses;
mod legs;
mod lines;

use gateway_router::RouteReport;

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
        books::nothing_is_fetched_twice(self, world);
        lines::nobody_waits(self, world);
        lines::classes_keep_their_order(self);
        books::budgets_are_kept(self);
        books::every_attempt_is_told_and_none_is_repeated(self);
        for told in self.told {
            let case = self.case(told);
            answers::are_as_undisturbed(&case);
            legs::are_told_once(&case);
            legs::leave_out_who_failed(&case);
            legs::count_each_token_once(&case);
            excuses::are_good(&case);
        }
    }

    fn case<'a>(&'a self, told: &'a Told) -> Case<'a> {
        let id = &told.plan.id;
        let reports = self.reports.iter().filter(|one| one.request_id == *id);
        let is_own = |entry: &&Entry| {
            let rest = entry.id.strip_prefix(&**id);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        Case {
            plan: self.plan,
            told,
            reports: reports.collect(),
            entries: self.journal.iter().filter(is_own).collect(),
            at: format!("seed {}, {id}", self.plan.seed),
        }
    }
}

impl Case<'_> {
    /// Engines that died on the request, or seemed to.
    fn deaths(&self) -> usize {
        let died = self.entries.iter().filter(|entry| entry.what == What::Died);
        died.count()
    }
}
