//! Each call to the engines is told once, in order, and asks nobody who has failed.

use std::{collections::HashSet, sync::Arc};

use gateway_router::{Ending, ErrorKind, RouteReport, proto::ir::Format};

use super::Case;
use crate::{caller::Seen, engine::What, plan::Route};

pub(super) fn are_told_once(case: &Case<'_>) {
    let at = &case.at;
    let numbers: Vec<_> = case.reports.iter().map(|one| number(one)).collect();
    let sorted: HashSet<_> = numbers.iter().copied().collect();
    let all: HashSet<_> = (0..numbers.len() as u32).collect();
    if numbers.is_empty() {
        // Who left before asking was never there.
        assert!(matches!(case.told.seen, Seen::Left), "{at}: no report");
        return;
    }
    assert_eq!(sorted, all, "{at}: one report per call: {numbers:?}");
    let ended_with = |wanted: fn(&Ending) -> bool| {
        let endings = case.reports.iter().map(|one| one.ending);
        endings.filter(wanted).count()
    };
    let failed = ended_with(|ending| matches!(ending, Ending::Failed(_)));
    let cancelled = ended_with(|ending| *ending == Ending::Cancelled);
    let is_failure = matches!(case.told.seen, Seen::Failed(_) | Seen::Broken);
    assert_eq!(failed, usize::from(is_failure), "{at}: one failure at most");
    if matches!(case.told.seen, Seen::Whole) {
        assert_eq!(cancelled, 0, "{at}: all of it was read");
    }
    if case.told.plan.call.choices() == 1 {
        are_in_order(case);
    }
}

/// Which of the calls, from 0.
fn number(report: &RouteReport) -> u32 {
    report.leg.resumes.map_or(0, |taken| taken.number)
}

fn are_in_order(case: &Case<'_>) {
    let at = &case.at;
    let (last, before) = case.reports.split_last().expect("there is one");
    for (place, report) in (0..).zip(before) {
        assert_eq!(number(report), place, "{at}: in order");
        let is_resumed = matches!(report.ending, Ending::Resumed(_));
        assert!(is_resumed, "{at}: {:?} and yet more", report.ending);
    }
    let fits = match case.told.seen {
        Seen::Whole | Seen::Enough => last.ending == Ending::Completed,
        Seen::Left => last.ending == Ending::Cancelled,
        Seen::Failed(_) | Seen::Broken => matches!(last.ending, Ending::Failed(_)),
    };
    assert!(fits, "{at}: {:?} for {:?}", last.ending, case.told.seen);
}

pub(super) fn leave_out_who_failed(case: &Case<'_>) {
    if case.told.plan.call.choices() > 1 || case.told.plan.route == Route::Chat {
        return;
    }
    for pair in case.reports.windows(2) {
        let (failed, then) = (pair[0], pair[1]);
        if failed.ending == Ending::Resumed(ErrorKind::Recomputed) {
            // It is well; asked again where nobody else is there.
            continue;
        }
        let id = format!("{}-0-0-{}", case.told.plan.id, number(then));
        let asked = case
            .entries
            .iter()
            .filter(|one| one.what == What::Asked && *one.id == *id);
        for entry in asked {
            let engine = Some(Arc::from(entry.engine));
            assert_ne!(engine, failed.endpoint, "{}: asked again by {id}", case.at);
        }
    }
}

pub(super) fn count_each_token_once(case: &Case<'_>) {
    let (at, told) = (&case.at, case.told);
    let Some(usage) = told.usage else { return };
    let tokens = told.tokens() as u64;
    let prompt = told.plan.call.prompt.len() as u64;
    assert_eq!(
        usage.completion_tokens, tokens,
        "{at}: as many as were told"
    );
    assert_eq!(usage.prompt_tokens, prompt, "{at}: the prompt once");
    let is_held_back = !told.plan.stream && told.plan.call.format != Format::Text;
    if matches!(told.seen, Seen::Enough) && (is_held_back || told.plan.call.choices() > 1) {
        // Engines had written more, all of it or of other choices, when the reader had enough.
        return;
    }
    let counted = case.reports.iter().filter_map(|one| one.usage);
    let counted: u64 = counted.map(|usage| usage.completion_tokens).sum();
    assert_eq!(counted, tokens, "{at}: the reports together");
    let prompts = case.reports.iter().filter(|one| one.leg.counts_prompt());
    assert_eq!(prompts.count(), 1, "{at}: the prompt in one of them");
}
