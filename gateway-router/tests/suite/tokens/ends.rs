//! How streams of tokens end, and who ends them.

use std::time::Duration;

use gateway_router::{Ending, EngineKind, ErrorKind, TokenStep, core::health::Availability};

use super::{FIVE, LAST, SIX, USED, generate, read, request, settings, used, vllm};
use crate::common::{
    rig::Rig,
    script::{ScriptEngine, Step, say, say_and_stay},
    wire::{DONE, error_event, stream, whole_stream},
    within,
};

/// Where nobody takes up what broke: the ids before it, one failure, nothing after it; no second engine is asked, and the failure counts.
async fn breaks_after_five(script: Vec<Step>, kind: ErrorKind) {
    let shown = format!("{script:?}");
    let engine = ScriptEngine::always(script).await;
    let other = ScriptEngine::good().await;
    let mut settings = settings(&[(&engine, EngineKind::Vllm), (&other, EngineKind::Vllm)]);
    settings.deadlines.idle = Duration::from_millis(300);
    settings.limits.event_bytes = 4096;
    settings.migration.enabled = false;
    let rig = Rig::with(settings);
    let (ids, end) = read(generate(&rig).await.expect("it begins")).await;
    assert_eq!(ids, [5], "{shown}");
    assert_eq!(end.expect_err(&shown).kind(), kind, "{shown}");
    assert_eq!(other.accepted(), 0, "{shown}");
    let report = rig.reports.only();
    assert_eq!(report.ending, Ending::Failed(kind), "{shown}");
    assert_eq!(report.usage, Some(used(3, 1, None)), "{shown}");
    assert_eq!(rig.availability("a"), Availability::Open, "{shown}");
    rig.assert_idle();
}

/// A stream whose first event arrives by itself.
fn five_then(rest: &str) -> Vec<Step> {
    let chunk = crate::common::wire::chunk(rest);
    vec![
        Step::Read,
        Step::Say(stream(&[FIVE])),
        Step::Pause,
        Step::Say(chunk),
    ]
}

#[tokio::test]
async fn a_stream_that_breaks_is_told_once() {
    breaks_after_five(say(stream(&[FIVE])), ErrorKind::Broken).await;
    breaks_after_five(five_then(DONE), ErrorKind::Broken).await;
    breaks_after_five(five_then("data: nonsense\n\n"), ErrorKind::Broken).await;
    let long = format!("data: {}", "x".repeat(5000));
    breaks_after_five(five_then(&long), ErrorKind::Broken).await;
    let abort =
        "data: {\"choices\":[{\"index\":0,\"token_ids\":[],\"finish_reason\":\"abort\"}]}\n\n";
    breaks_after_five(five_then(abort), ErrorKind::EngineFailed).await;
    let died = error_event(500, "core died");
    breaks_after_five(five_then(&died), ErrorKind::EngineFailed).await;
    breaks_after_five(say_and_stay(stream(&[FIVE])), ErrorKind::Timeout).await;
}

#[tokio::test]
async fn the_status_of_an_answer_that_comes_whole_is_that_of_its_error() {
    for (streams, status) in [(true, 200), (false, 502)] {
        let engine = ScriptEngine::always(say(stream(&[FIVE]))).await;
        let mut settings = settings(&[(&engine, EngineKind::Vllm)]);
        settings.migration.enabled = false;
        let rig = Rig::with(settings);
        let mut asked = request();
        asked.stream = streams;
        let reply = within(rig.router.generate(asked)).await;
        read(reply.expect("it begins"))
            .await
            .1
            .expect_err("it breaks");
        assert_eq!(rig.reports.only().status, Some(status));
    }
}

#[tokio::test]
async fn a_reader_that_leaves_closes_the_engines_socket() {
    let engine = ScriptEngine::always(say_and_stay(stream(&[FIVE]))).await;
    let rig = vllm(&[&engine]);
    let mut reply = generate(&rig).await.expect("it begins");
    let step = within(reply.events.next()).await;
    assert!(matches!(step, Some(TokenStep::Event(event)) if event.ids == [5]));
    let fleet = rig.router.fleet();
    let booked = fleet.by_name("a").expect("listed").state().in_flight();
    assert_eq!((booked.requests, booked.prefilling), (1, 0));
    drop(reply);
    engine.left(1).await;
    rig.assert_idle();
    assert_eq!(rig.reports.only().ending, Ending::Cancelled);
    assert_eq!(rig.availability("a"), Availability::Up);
}

#[tokio::test]
async fn a_reader_that_has_enough_ends_the_engines_work_and_completes() {
    let both = format!("{FIVE}{SIX}");
    let engine = ScriptEngine::always(say_and_stay(stream(&[&both]))).await;
    let rig = vllm(&[&engine]);
    let mut reply = generate(&rig).await.expect("it begins");
    within(reply.events.next()).await.expect("a token");
    // The second token is here, but nobody read it.
    assert_eq!(reply.events.finish_early(), used(3, 1, None));
    engine.left(1).await;
    rig.assert_idle();
    let report = rig.reports.only();
    assert_eq!(report.ending, Ending::Completed);
    assert_eq!(report.usage, Some(used(3, 1, None)));
    assert_eq!(rig.availability("a"), Availability::Up);
}

#[tokio::test]
async fn a_stream_without_done_but_with_its_choices_over_is_whole() {
    let engine = ScriptEngine::always(say(whole_stream(&[FIVE, LAST]))).await;
    let rig = vllm(&[&engine]);
    let (ids, end) = read(generate(&rig).await.expect("served")).await;
    assert_eq!((ids, end.expect("done")), (vec![5, 7], used(3, 2, None)));
    assert_eq!(rig.reports.only().ending, Ending::Completed);
}

#[tokio::test]
async fn a_stream_read_to_its_end_leaves_its_connection_to_the_next() {
    let whole = whole_stream(&[FIVE, LAST, USED, DONE]);
    let engine = ScriptEngine::always(vec![Step::Serve(whole)]).await;
    let rig = vllm(&[&engine]);
    for _ in 0..3 {
        let (ids, _) = read(generate(&rig).await.expect("served")).await;
        assert_eq!(ids, [5, 7]);
    }
    assert_eq!((engine.heard().len(), engine.accepted()), (3, 1));
}
