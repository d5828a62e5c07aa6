//! How much of what can happen did.

use std::ops::AddAssign;

use gateway_router::{Ending, PairFault, PairOutcome, PairReport, RouteReport};

use crate::{
    caller::{Seen, Told},
    plan::{CONNECTORS, Plan, Route},
};

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
    /// Requests that a second engine was asked as well.
    pub(crate) hedged: u64,
    /// Prompts that went from one engine to another.
    pub(crate) handed_over: u64,
    /// Requests that a pair could not serve, and one engine did, or tried to.
    pub(crate) fallen_back: u64,
    /// Requests that waited for room.
    pub(crate) waited: u64,
    /// Answers that were over when prefill was.
    pub(crate) finished: u64,
    /// Requests that pairs served, by connector, by text and by tokens.
    pub(crate) split: [[u64; 2]; CONNECTORS.len()],
    /// Requests whose pair failed, in the same way.
    pub(crate) parted: [[u64; 2]; CONNECTORS.len()],
}

impl Tally {
    pub(crate) fn of(
        plan: &Plan,
        told: &[Told],
        reports: &[RouteReport],
        handed_over: u64,
    ) -> Self {
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
        let has_second = |one: &&RouteReport| {
            let hedge = one.hedge.as_ref();
            hedge.is_some_and(|hedge| hedge.endpoints.1.is_some())
        };
        let pairs = reports.iter().filter_map(|one| one.pair.as_ref());
        let fallen_back = pairs.filter(|pair| has_parted(pair));
        let paired = |fits: fn(&PairReport) -> bool| by_connector(plan, told, reports, fits);
        let is_finished = |pair: &PairReport| pair.outcome == PairOutcome::Finished;
        Self {
            finished: paired(is_finished).as_flattened().iter().sum(),
            split: paired(|pair| pair.outcome == PairOutcome::Split),
            parted: paired(|pair| has_parted(pair) && pair.tried > 0),
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
            hedged: reports.iter().filter(has_second).count() as u64,
            handed_over,
            fallen_back: fallen_back.count() as u64,
            waited: reports.iter().filter(|one| !one.queued.is_zero()).count() as u64,
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
            hedged,
            handed_over,
            fallen_back,
            waited,
            finished,
            split,
            parted,
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
            hedged,
            handed_over,
            fallen_back,
            waited,
        ];
        let least = schedules / 100;
        assert!(counts.iter().all(|count| *count > least), "{self:?}");
        let paired = [finished]
            .into_iter()
            .chain(split.into_iter().chain(parted).flatten());
        let least = schedules / 400;
        assert!(paired.into_iter().all(|count| count > least), "{self:?}");
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
        self.hedged += more.hedged;
        self.handed_over += more.handed_over;
        self.fallen_back += more.fallen_back;
        self.waited += more.waited;
        self.finished += more.finished;
        add(&mut self.split, more.split);
        add(&mut self.parted, more.parted);
    }
}

fn has_parted(pair: &PairReport) -> bool {
    pair.fault()
        .is_some_and(|fault| fault != PairFault::NotSplittable)
}

/// How many requests had pairs that fit.
fn by_connector(
    plan: &Plan,
    told: &[Told],
    reports: &[RouteReport],
    fits: fn(&PairReport) -> bool,
) -> [[u64; 2]; CONNECTORS.len()] {
    let mut counts = [[0; 2]; CONNECTORS.len()];
    let mut known = CONNECTORS.iter();
    let Some(row) = known.position(|one| Some(*one) == plan.connector) else {
        return counts;
    };
    for told in told {
        let own = reports.iter().filter(|one| one.request_id == told.plan.id);
        let fitting = own.filter(|one| one.pair.as_ref().is_some_and(fits));
        let column = usize::from(told.plan.route != Route::Chat);
        counts[row][column] += fitting.count() as u64;
    }
    counts
}

fn add(sums: &mut [[u64; 2]; CONNECTORS.len()], more: [[u64; 2]; CONNECTORS.len()]) {
    for (sum, more) in sums.as_flattened_mut().iter_mut().zip(more.as_flattened()) {
        *sum += more;
    }
}
