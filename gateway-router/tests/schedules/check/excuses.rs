//! Where one engine serves throughout and nothing is stinted, what may still fail.

use gateway_router::{ErrorKind, Fallback, PairFault, PairReport, RouteReport, Stuck};

use super::Case;
use crate::{
    caller::Seen,
    plan::{Plan, Route},
};

/// Engines that may die on a request before it is held back.
const DEATHS: usize = 2;

pub(super) fn are_good(case: &Case<'_>) {
    let kind = match &case.told.seen {
        Seen::Failed(error) => {
            let api = error.to_api();
            let is_error = (400..600).contains(&api.status) && !api.message.is_empty();
            assert!(is_error, "{}: {error}", case.at);
            Some(error.kind())
        }
        Seen::Broken => None,
        Seen::Whole | Seen::Enough | Seen::Left => return,
    };
    if !case.plan.is_sheltered || case.deaths() >= DEATHS {
        return;
    }
    if may_want_a_pair(case) {
        return;
    }
    let is_good = match case.told.plan.route {
        Route::Tokens { .. } => broke_in_its_form(case),
        Route::Chat if case.told.plan.stream => case.told.text.contains("content"),
        // Nothing can be seen of an engine that is silent while it works.
        Route::Chat => matches!(kind, Some(ErrorKind::Timeout | ErrorKind::OutOfTime)),
    };
    let (at, deaths) = (&case.at, case.deaths());
    assert!(
        is_good,
        "{at}: {:?} after {deaths} deaths, of {:?}: {:#?}",
        case.told.seen, case.entries, case.reports
    );
}

/// Nothing follows a pair that failed, or was not to be had, where nothing is to.
fn may_want_a_pair(case: &Case<'_>) -> bool {
    let Plan {
        settings, split, ..
    } = case.plan;
    if settings.pairs.general.fallback != Fallback::Never {
        return false;
    }
    // Of text the router knows no lengths.
    let is_worth_it = case.told.plan.route == Route::Chat
        || split.may_split(case.told.plan.call.prompt.len() as u32);
    let fault = |one: &&RouteReport| one.pair.as_ref().and_then(PairReport::fault);
    let mut faults = case.reports.iter().map(fault);
    is_worth_it && faults.any(|fault| fault != Some(PairFault::NotSplittable))
}

/// A form is begun anew by each engine, so one that was shown cannot be gone on with.
fn broke_in_its_form(case: &Case<'_>) -> bool {
    let stuck = case.reports.iter().filter_map(|one| one.stuck);
    case.told.plan.stream && stuck.eq([Stuck::Form])
}
