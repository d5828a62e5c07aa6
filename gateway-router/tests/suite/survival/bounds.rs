//! Where nobody takes an answer up: what was shown, and one clean error.

use std::time::Duration;

use gateway_router::{Ending, RouterSettings, Stuck};

use super::{
    Fleet, call, request, undisturbed,
    writer::{Fault, How, fault},
};

/// The first `shown` tokens, then one error; gives why nobody took it up.
async fn breaks(
    faults: &[&[Fault]],
    shown: usize,
    change: impl FnOnce(&mut RouterSettings),
) -> (Fleet, Option<Stuck>) {
    let whole = undisturbed(request(call(60))).await;
    let fleet = Fleet::with(faults, change);
    let told = fleet.answer(request(call(60))).await;
    assert_eq!(told.ids(), &whole.ids()[..shown]);
    told.end.expect_err("it broke");
    fleet.rig.assert_idle();
    let stuck = fleet.rig.reports.last().stuck;
    (fleet, stuck)
}

#[tokio::test(start_paused = true)]
async fn where_the_budget_is_used_up() {
    let dies: &[Fault] = &[fault(How::Breaks, 5), fault(How::Breaks, 5)];
    let (fleet, stuck) = breaks(&[dies, &[]], 5, |settings| {
        settings.migration.budget_burst = 0;
        settings.migration.budget_ratio = 0.0;
    })
    .await;
    assert_eq!(stuck, Some(Stuck::Budget));
    assert_eq!(fleet.calls(1).len(), 0);
    assert_eq!(
        fleet.rig.reports.only().ending,
        Ending::Failed(How::Breaks.kind())
    );
}

#[tokio::test(start_paused = true)]
async fn traffic_earns_the_budget() {
    let dies = [fault(How::ThrowsOut, 2); 4];
    let fleet = Fleet::with(&[&dies, &[]], |settings| {
        settings.migration.budget_burst = 1;
        settings.migration.budget_ratio = 0.5;
    });
    let mut ends = Vec::new();
    for _ in 0..4 {
        ends.push(fleet.answer(request(call(6))).await.end.is_ok());
    }
    // Each request earns half of what taking it up costs; the first finds one saved.
    assert_eq!(ends, [true, false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn where_it_was_taken_up_often_enough() {
    let hangs: &[Fault] = &[fault(How::Hangs, 3)];
    let (fleet, stuck) = breaks(&[hangs, hangs, hangs, hangs, &[]], 12, |_| {}).await;
    assert_eq!(stuck, Some(Stuck::Attempts));
    assert_eq!((fleet.calls(3).len(), fleet.calls(4).len()), (1, 0));
}

/// What kills two engines at the same place is not sent to a third.
#[tokio::test(start_paused = true)]
async fn where_the_request_may_be_what_kills_engines() {
    for how in [How::Breaks, How::Fails] {
        let (first, second): (&[Fault], &[Fault]) = (&[fault(how, 20)], &[fault(how, 1)]);
        let (fleet, stuck) = breaks(&[first, second, &[]], 21, |_| {}).await;
        assert_eq!(stuck, Some(Stuck::Deaths), "{how:?}");
        assert_eq!(fleet.calls(2).len(), 0);
    }
}

/// An engine that dies before its first token has died on the request as well.
#[tokio::test(start_paused = true)]
async fn where_one_died_of_it_before_the_first_token() {
    let (dies, breaks_soon): (&[Fault], &[Fault]) =
        (&[fault(How::Dies, 0)], &[fault(How::Breaks, 2)]);
    let (fleet, stuck) = breaks(&[dies, breaks_soon, &[]], 2, |_| {}).await;
    assert_eq!(stuck, Some(Stuck::Deaths));
    assert_eq!(fleet.calls(2).len(), 0);
    // The same within a call that takes the answer up: hung at 20, died before 21, broke at 21.
    let (hangs, breaks_then): (&[Fault], &[Fault]) =
        (&[fault(How::Hangs, 20)], &[fault(How::Breaks, 1)]);
    let (fleet, stuck) = breaks(&[hangs, dies, breaks_then, &[]], 21, |_| {}).await;
    assert_eq!(stuck, Some(Stuck::Deaths));
    assert_eq!(fleet.calls(3).len(), 0);
}

/// Engines that are lost all at once were not killed by an answer that one of them had been writing for long.
#[tokio::test(start_paused = true)]
async fn but_not_where_engines_are_lost_at_once() {
    let (breaks_late, dies): (&[Fault], &[Fault]) =
        (&[fault(How::Breaks, 20)], &[fault(How::Dies, 0)]);
    let fleet = Fleet::new(&[breaks_late, dies, dies, &[]]);
    let told = fleet.answer(request(call(60))).await;
    let whole = undisturbed(request(call(60))).await;
    assert_eq!(told.ids(), whole.ids());
    told.end.expect("it came whole");
    assert_eq!(fleet.calls(3).len(), 1);
    fleet.rig.assert_idle();
}

/// Whoever is in a hurry does not wait for an engine to come up.
#[tokio::test(start_paused = true)]
async fn where_the_time_is_up_before_an_engine_is() {
    let dies: &[Fault] = &[fault(How::Breaks, 5)];
    let fleet = Fleet::new(&[dies, &[]]);
    let listed = fleet.rig.router.fleet();
    listed
        .by_name("b")
        .expect("listed")
        .state()
        .set_draining(true);
    let mut hurried = request(call(60));
    let most = Duration::from_secs(3);
    hurried.hints.total = Some(most);
    let told = fleet.answer(hurried).await;
    assert_eq!(told.error(), How::Breaks.kind().name());
    let last = fleet.rig.reports.last();
    assert_eq!((last.attempts, last.total), (0, most), "in virtual time");
}

#[tokio::test(start_paused = true)]
async fn where_all_engines_are_dead() {
    let dies: &[Fault] = &[fault(How::Breaks, 5)];
    let refuses: &[Fault] = &[fault(How::Refused, 0)];
    let (fleet, _) = breaks(&[dies, refuses, refuses], 5, |_| {}).await;
    let reports = fleet.rig.reports.all();
    let endings: Vec<_> = reports.iter().map(|one| one.ending).collect();
    let (kind, then) = (How::Breaks.kind(), How::Refused.kind());
    assert_eq!(endings, [Ending::Resumed(kind), Ending::Failed(then)]);
    let (_, stuck) = breaks(&[dies], 5, |_| {}).await;
    assert_eq!(stuck, None, "nobody was left");
}

#[tokio::test(start_paused = true)]
async fn where_it_is_switched_off() {
    let dies: &[Fault] = &[fault(How::Breaks, 5)];
    let all_off = |settings: &mut RouterSettings| settings.migration.enabled = false;
    assert_eq!(breaks(&[dies, &[]], 5, all_off).await.1, None);
    let one_off = |settings: &mut RouterSettings| {
        settings.migration.models.insert("m".to_owned(), false);
    };
    assert_eq!(breaks(&[dies, &[]], 5, one_off).await.1, None);
    let thrown: &[Fault] = &[fault(How::ThrowsOut, 5)];
    assert_eq!(breaks(&[thrown, &[]], 5, one_off).await.1, None);
    let one_on = |settings: &mut RouterSettings| {
        settings.migration.enabled = false;
        settings.migration.models.insert("m".to_owned(), true);
    };
    let fleet = Fleet::with(&[dies, &[]], one_on);
    fleet.answer(request(call(9))).await.end.expect("taken up");
}
