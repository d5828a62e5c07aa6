//! Second engines beside silent ones, in virtual time.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use gateway_router::{
    Ending, ErrorKind, HedgeAfter, HedgeOutcome, HedgeSettings, RouterSettings,
    core::health::Availability,
};
use tokio::time::timeout;

use crate::common::{
    memory::{Act, Engines, MemoryEngine, fleet},
    rig::{Rig, request, text},
    wire::{DONE, ONE, STOP},
};

const SECOND: Duration = Duration::from_secs(1);
const AFTER: Duration = Duration::from_millis(800);

/// Asks a second engine after [`AFTER`].
fn rig(acts: &[Act]) -> (Rig, Engines) {
    rig_with(acts, |_| {})
}

fn rig_with(acts: &[Act], change: impl FnOnce(&mut RouterSettings)) -> (Rig, Engines) {
    let (mut settings, engines) = fleet(acts);
    settings.deadlines.first_byte = 5 * SECOND;
    // Whoever was blamed is seen to be.
    settings.fleet.health.open_for = 60 * SECOND;
    settings.fleet.health.open_at_most = 60 * SECOND;
    settings.hedges.general = Some(HedgeSettings::after(HedgeAfter::Span(AFTER)));
    change(&mut settings);
    let by_name = engines.clone();
    let rig = Rig::driving(settings, move |told| by_name.client(told));
    (rig, engines)
}

fn left(engine: &Arc<MemoryEngine>) -> usize {
    engine.left.load(SeqCst)
}

fn sent(engines: &Engines, name: &str) -> usize {
    engines.named(name).sent.load(SeqCst)
}

/// Asks for a stream that is served whole; gives by whom, and what is told of the second engine.
async fn served(rig: &Rig) -> (String, Option<HedgeOutcome>) {
    let reply = rig.ask_for_stream().await.expect("served");
    let endpoint = reply.endpoint.to_string();
    let told = reply.hedge.clone();
    assert_eq!(text(reply).await, [ONE, ONE, STOP, DONE].concat());
    let report = rig.reports.last();
    assert_eq!(report.ending, Ending::Completed);
    assert_eq!(report.endpoint.as_deref(), Some(&*endpoint));
    assert_eq!(report.hedge, told, "the reply and the report agree");
    rig.assert_idle();
    (endpoint, told.map(|told| told.outcome))
}

#[tokio::test(start_paused = true)]
async fn a_second_engine_serves_what_the_first_is_silent_on() {
    for silent in [Act::Stuck, Act::ServeAfter(4 * SECOND)] {
        let (rig, engines) = rig(&[silent, Act::Serve]);
        let told = served(&rig).await;
        assert_eq!(told, ("b".to_owned(), Some(HedgeOutcome::Second)));
        let report = rig.reports.only();
        let hedge = report.hedge.expect("told");
        assert_eq!(hedge.after, AFTER);
        assert_eq!(hedge.endpoints, ("a".into(), Some("b".into())));
        assert_eq!(report.attempts, 2);
        assert_eq!(left(engines.named("a")), 1, "the loser's work has ended");
        let is_blamed = rig.availability("a") != Availability::Up;
        assert!(!is_blamed, "it had no time to be late");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_engine_may_still_be_the_first_to_answer() {
    let (rig, engines) = rig(&[Act::ServeAfter(SECOND), Act::Stuck]);
    let told = served(&rig).await;
    assert_eq!(told, ("a".to_owned(), Some(HedgeOutcome::First)));
    assert_eq!(left(engines.named("b")), 1);
    assert_eq!(rig.availability("b"), Availability::Up);
    let report = rig.reports.only();
    assert_eq!(report.attempts, 2);
}

/// A second engine may refuse what is too long for it, or what it does not serve.
#[tokio::test(start_paused = true)]
async fn what_the_second_engine_refuses_the_first_one_may_serve() {
    let (rig_a, engines) = rig(&[Act::ServeAfter(4 * SECOND), Act::Refuse]);
    let told = served(&rig_a).await;
    assert_eq!(told, ("a".to_owned(), Some(HedgeOutcome::First)));
    assert_eq!(sent(&engines, "b"), 1);
    // What the first one refuses is the caller's mistake.
    let (rig_b, engines) = rig(&[Act::Refuse, Act::Serve]);
    let error = rig_b.ask_for_stream().await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(sent(&engines, "b"), 0);
}

#[tokio::test(start_paused = true)]
async fn who_answers_in_time_is_asked_alone() {
    let (rig, engines) = rig(&[Act::ServeAfter(AFTER / 2), Act::Serve]);
    assert_eq!(served(&rig).await, ("a".to_owned(), None));
    assert_eq!(sent(&engines, "b"), 0);
    // Whole answers show nothing before their end.
    engines.named("a").set(Act::ServeAfter(4 * SECOND));
    let reply = rig.ask().await.expect("served");
    assert_eq!((&*reply.endpoint, reply.hedge), ("a", None));
    assert_eq!(sent(&engines, "b"), 0);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_twice_unless_that_is_wanted() {
    let slow = [Act::ServeAfter(4 * SECOND), Act::Serve];
    let off = |settings: &mut RouterSettings| settings.hedges.general = None;
    let once = |settings: &mut RouterSettings| settings.retry.attempts = 1;
    let own = |settings: &mut RouterSettings| {
        settings.hedges.models.insert("m".to_owned(), None);
    };
    for change in [off, once, own] {
        let (rig, engines) = rig_with(&slow, change);
        assert_eq!(served(&rig).await, ("a".to_owned(), None));
        assert_eq!(sent(&engines, "b"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_engine_fails_while_the_other_works_is_shown_to_nobody() {
    let late = Act::FailAfter(SECOND);
    let (rig_a, _) = rig(&[late, Act::ServeAfter(SECOND)]);
    let told = served(&rig_a).await;
    assert_eq!(told, ("b".to_owned(), Some(HedgeOutcome::Second)));
    assert_eq!(rig_a.availability("a"), Availability::Open, "it did fail");
    assert_eq!(rig_a.availability("b"), Availability::Up);

    let (rig_b, _) = rig(&[Act::ServeAfter(2 * SECOND), Act::Drains]);
    let told = served(&rig_b).await;
    assert_eq!(told, ("a".to_owned(), Some(HedgeOutcome::First)));
    assert_eq!(rig_b.availability("b"), Availability::Open);
    assert_eq!(rig_b.availability("a"), Availability::Up);
}

#[tokio::test(start_paused = true)]
async fn where_both_fail_there_is_one_error_and_both_are_blamed() {
    let late = Act::FailAfter(SECOND);
    let (rig, _) = rig_with(&[late, late], |_| {});
    let error = rig.ask_for_stream().await.expect_err("both fail");
    assert_eq!(error.kind(), ErrorKind::EngineFailed);
    let report = rig.reports.only();
    assert_eq!(report.ending, Ending::Failed(ErrorKind::EngineFailed));
    assert_eq!(report.attempts, 2);
    let told = report.hedge.expect("told").outcome;
    assert_eq!(told, HedgeOutcome::Neither);
    for name in ["a", "b"] {
        assert_eq!(rig.availability(name), Availability::Open, "{name}");
    }
    rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn after_both_another_attempt_is_made_and_by_one_engine_alone() {
    let late = Act::FailAfter(SECOND);
    let (rig, engines) = rig(&[late, late, Act::ServeAfter(4 * SECOND), Act::Serve]);
    let told = served(&rig).await;
    assert_eq!(told, ("c".to_owned(), Some(HedgeOutcome::Neither)));
    assert_eq!(rig.reports.only().attempts, 3);
    assert_eq!(sent(&engines, "d"), 0, "once is enough");
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_not_asked_twice() {
    let (rig, engines) = rig(&[Act::Busy, Act::ServeAfter(4 * SECOND), Act::Serve]);
    assert_eq!(served(&rig).await, ("b".to_owned(), None));
    assert_eq!(sent(&engines, "c"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_leaves_the_first_engine_alone() {
    let slow = [Act::ServeAfter(SECOND), Act::Serve];
    let (rig_a, engines) = rig_with(&slow, |settings| {
        settings.retry.budget_burst = 0;
        settings.retry.budget_ratio = 0.0;
    });
    let told = served(&rig_a).await;
    assert_eq!(told, ("a".to_owned(), Some(HedgeOutcome::Budget)));
    assert_eq!(sent(&engines, "b"), 0);

    // Ten at once, then five in a hundred, whatever retries are left.
    let (rig_b, engines) = rig(&slow);
    for _ in 0..40 {
        served(&rig_b).await;
    }
    assert_eq!(sent(&engines, "b"), 11);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_else_is_there_nothing_is_spent() {
    let (rig, engines) = rig_with(&[Act::ServeAfter(SECOND), Act::Dead], |settings| {
        settings.retry.budget_burst = 1;
        settings.retry.budget_ratio = 0.0;
        settings.watch.probe_every = Duration::from_millis(100);
    });
    tokio::time::sleep(SECOND).await;
    assert_eq!(rig.availability("b"), Availability::Down);
    for _ in 0..20 {
        let told = served(&rig).await;
        assert_eq!(told, ("a".to_owned(), Some(HedgeOutcome::Nobody)));
    }
    engines.named("b").set(Act::Serve);
    tokio::time::sleep(SECOND).await;
    assert_eq!(served(&rig).await.1, Some(HedgeOutcome::Second));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_ends_the_work_of_both() {
    let (rig, engines) = rig(&[Act::Stuck, Act::Stuck]);
    let asking = rig.router.route(request(true));
    timeout(2 * SECOND, asking)
        .await
        .expect_err("nobody answers");
    for name in ["a", "b"] {
        assert_eq!(left(engines.named(name)), 1, "{name}");
        assert_eq!(rig.availability(name), Availability::Up, "{name}");
    }
    rig.assert_idle();
    let report = rig.reports.only();
    assert_eq!(report.ending, Ending::Cancelled);
    assert_eq!(report.hedge.expect("told").outcome, HedgeOutcome::Underway);
}

#[tokio::test(start_paused = true)]
async fn what_is_usual_is_learned_before_it_is_used() {
    let predicted = |settings: &mut RouterSettings| {
        settings.hedges.general = Some(HedgeSettings::after(HedgeAfter::Predicted));
    };
    let (rig_a, _) = rig_with(&[Act::Stuck, Act::Serve], predicted);
    assert_eq!(served(&rig_a).await, ("b".to_owned(), None), "by a retry");

    let (rig_b, engines) = rig_with(&[Act::Serve, Act::Serve], predicted);
    for _ in 0..20 {
        assert_eq!(served(&rig_b).await, ("a".to_owned(), None));
    }
    engines.named("a").set(Act::Stuck);
    let told = served(&rig_b).await;
    assert_eq!(told, ("b".to_owned(), Some(HedgeOutcome::Second)));
    let after = rig_b.reports.last().hedge.expect("told").after;
    assert!(after < 5 * SECOND, "{after:?}");
}
