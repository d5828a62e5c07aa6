//! How much of what can happen did.

use std::ops::AddAssign;

use gateway_router::{Ending, RouteReport};

use crate::caller::{Seen, Told};

/// Counts over schedules.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) schedules: u64,
    pub(crate) requests: u64,
    pub(crate) whole: u64,
    /// Answers that several engines wrote, as if one had.
    pub(crate) survived: u64,
    pub(crate) failed: u64,
    pub(crate) broken: u64,
    pub(crate) left: u64,
    pub(crate) enough: u64,
    pub(crate) retries: u64,
    pub(crate) taken_up: u64,
    pub(crate) stuck: u64,
    /// Prompts that went from one engine to another.
    pub(crate) handed_over: u64,
    /// Requests that a pair could not serve, and one engine did, or tried to.
    pub(crate) fallen_back: u64,
}

impl Tally {
    pub(crate) fn of(told: &[Told], reports: &[RouteReport], handed_over: u64) -> Self {
        let seen = |wanted: fn(&Seen) -> bool| {
            let fits = told.iter().filter(|one| wanted(&one.seen));
            fits.count() as u64
        };
        let moved = |told: &&Told| {
            let own = reports.iter().filter(|one| one.request_id == told.plan.id);
            matches!(told.seen, Seen::Whole)
                && own
                    .clone()
                    .any(|one| matches!(one.ending, Ending::Resumed(_)))
        };
        let taken_up = reports.iter().filter(|one| one.leg.resumes.is_some());
        let retries = reports
            .iter()
            .map(|one| u64::from(one.attempts.saturating_sub(1)));
        let stuck = reports.iter().filter(|one| one.stuck.is_some());
        let pairs = reports.iter().filter_map(|one| one.pair.as_ref());
        let fallen_back = pairs.filter(|pair| pair.fault().is_some());
        Self {
            schedules: 1,
            requests: told.len() as u64,
            whole: seen(|seen| matches!(seen, Seen::Whole)),
            survived: told.iter().filter(moved).count() as u64,
            failed: seen(|seen| matches!(seen, Seen::Failed(_))),
            broken: seen(|seen| matches!(seen, Seen::Broken)),
            left: seen(|seen| matches!(seen, Seen::Left)),
            enough: seen(|seen| matches!(seen, Seen::Enough)),
            retries: retries.sum(),
            taken_up: taken_up.count() as u64,
            stuck: stuck.count() as u64,
            handed_over,
            fallen_back: fallen_back.count() as u64,
        }
    }

    /// All that can happen has happened, and not only now and then.
    pub(crate) fn assert_wide(&self) {
        let Self {
            schedules,
            requests: _,
            whole,
            survived,
            failed,
            broken,
            left,
            enough,
            retries,
            taken_up,
            stuck,
            handed_over,
            fallen_back,
        } = *self;
        let counts = [
            whole,
            survived,
            failed,
            broken,
            left,
            enough,
            retries,
            taken_up,
            stuck,
            handed_over,
            fallen_back,
        ];
        let least = schedules / 100;
        assert!(counts.iter().all(|count| *count > least), "{self:?}");
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.schedules += more.schedules;
        self.requests += more.requests;
        self.whole += more.whole;
        self.survived += more.survived;
        self.failed += more.failed;
        self.broken += more.broken;
        self.left += more.left;
        self.enough += more.enough;
        self.retries += more.retries;
        self.taken_up += more.taken_up;
        self.stuck += more.stuck;
        self.handed_over += more.handed_over;
        self.fallen_back += more.fallen_back;
    }
}
