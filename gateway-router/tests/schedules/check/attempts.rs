//! Attempts are told, bounded, and each on another engine.

use std::collections::BTreeMap;

use gateway_router::{PairFault, PairOutcome, RouteReport};

use super::Case;
use crate::engine::What;

/// Pairs that are tried for one call.
const PAIRS_AT_MOST: u32 = 2;

/// Pairs that were tried for it.
fn pairs(report: &RouteReport) -> u32 {
    report.pair.as_ref().map_or(0, |pair| pair.tried)
}

/// Attempts of a call that are due to it after pairs that failed: one after each, and one more where the first was to tell
/// whether the decode engine is at fault.
pub(super) fn due_after_pairs(report: &RouteReport) -> u32 {
    let Some(pair) = &report.pair else { return 0 };
    match pair.outcome {
        PairOutcome::SinglePhase(fault) => {
            pair.tried + u32::from(pair.tried > 0 && fault == PairFault::DecodeFailed)
        }
        PairOutcome::Split | PairOutcome::Finished | PairOutcome::Underway => {
            pair.tried.saturating_sub(1)
        }
    }
}

/// However much fails, there is an end to it.
pub(super) fn are_bounded(case: &Case<'_>) {
    let retry = &case.plan.settings.retry;
    for report in &case.reports {
        let (at, attempts) = (&case.at, report.attempts);
        assert!(
            pairs(report) <= PAIRS_AT_MOST,
            "{at}: pairs tried: {report:#?}"
        );
        let most = retry.attempts + due_after_pairs(report);
        assert!(attempts <= most, "{at}: {attempts} attempts: {report:#?}");
    }
}

/// Ids are unique at each engine, whatever process is behind its name; but a half is asked for its part of each pair, and
/// may be asked for the whole afterwards.
pub(super) fn are_all_told_and_none_is_repeated(case: &Case<'_>) {
    let at = &case.at;
    let asked = case.entries.iter().filter(|one| one.what == What::Asked);
    let mut times = BTreeMap::new();
    for entry in asked {
        *times.entry((entry.engine, &*entry.id)).or_insert(0) += 1;
    }
    let most = case.reports.iter().map(|one| pairs(one)).max();
    for ((engine, id), times) in &times {
        let most = match case.plan.is_half(engine) {
            true => 1 + most.unwrap_or(0),
            false => 1,
        };
        assert!(*times <= most, "{at}: {id} came {times} times to {engine}");
    }
    let count: u32 = times.values().sum();
    let told: u32 = case.reports.iter().map(|one| one.attempts).sum();
    let of_pairs: u32 = case.reports.iter().map(|one| pairs(one)).sum();
    // A pair asks two engines at most, and none where its prefill engine does not say who it is.
    let possible = told - of_pairs..=told + of_pairs;
    assert!(
        possible.contains(&count),
        "{at}: {count} attempts, {told} are told, {of_pairs} of them of pairs"
    );
}
