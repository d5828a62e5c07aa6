//! Calls for tokens that a second engine is asked as well.

use std::time::Duration;

use gateway_router::{Ending, HedgeAfter, HedgeOutcome, HedgeSettings, RouterSettings};

use super::{
    Fleet, call, request, undisturbed,
    writer::{Fault, How, fault},
};

const HANGS: Fault = Fault {
    after: 0,
    how: How::Hangs,
};

fn soon(settings: &mut RouterSettings) {
    let after = HedgeAfter::Span(Duration::from_millis(300));
    settings.hedges.general = Some(HedgeSettings::after(after));
}

#[tokio::test(start_paused = true)]
async fn the_second_engines_tokens_are_the_answer() {
    let fleet = Fleet::with(&[&[HANGS], &[]], soon);
    let told = fleet.answer(request(call(20))).await;
    assert_eq!(told, undisturbed(request(call(20))).await);
    let report = fleet.rig.reports.only();
    let hedge = report.hedge.expect("told").outcome;
    assert_eq!(
        (report.ending, hedge),
        (Ending::Completed, HedgeOutcome::Second)
    );
    assert_eq!(report.endpoint.as_deref(), Some("b"));
    fleet.rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn what_takes_an_answer_up_is_asked_once() {
    let breaks = fault(How::Breaks, 5);
    let fleet = Fleet::with(&[&[HANGS, HANGS], &[breaks], &[]], soon);
    let told = fleet.answer(request(call(20))).await;
    assert_eq!(told, undisturbed(request(call(20))).await);
    let reports = fleet.rig.reports.all();
    let hedged: Vec<_> = reports.iter().map(|one| one.hedge.is_some()).collect();
    assert_eq!(hedged, [true, false]);
    assert_eq!(reports[1].attempts, 2, "it waited for the one that hangs");
    fleet.rig.assert_idle();
}
