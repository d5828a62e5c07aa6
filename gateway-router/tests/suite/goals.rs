//! What requests want of their timing, and what is learned of how it went.

use std::{
    sync::{Arc, Mutex, atomic::Ordering::SeqCst},
    time::Duration,
};

use bytes::Bytes;
use gateway_router::{
    Ending, ErrorKind, Goal, RouteRequest, RouterSettings,
    core::{Objectives, Pipeline, plugin::filter_fn},
    proto::openai::Api,
};

use crate::common::{
    memory::{Act, fleet},
    rig::{Rig, request, settings, text},
    script::{ScriptEngine, Step},
    wire::{DONE, END, ONE, STOP, TWO, chunk, stream},
};

const SECOND: Duration = Duration::from_secs(1);

/// A role and nothing else, as many engines begin.
const ROLE: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";

fn deadline(time: Duration) -> Goal {
    Goal {
        objectives: Objectives {
            deadline_ms: Some(time.as_secs_f32() * 1_000.0),
            ..Objectives::default()
        },
        priority: None,
    }
}

/// A request with a prompt of about 100,000 tokens.
fn long() -> RouteRequest {
    let words = "word ".repeat(80_000);
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{words}"}}]}}"#);
    RouteRequest::parse(Api::ChatCompletions, Bytes::from(body)).expect("a good request")
}

fn rig(change: impl FnOnce(&mut RouterSettings)) -> Rig {
    let (mut settings, engines) = fleet(&[Act::ServeAfter(30 * SECOND)]);
    change(&mut settings);
    Rig::driving(settings, move |told| engines.client(told))
}

#[tokio::test(start_paused = true)]
async fn what_would_come_too_late_is_refused_until_the_queue_is_short_enough() {
    let rig = rig(|_| {});
    let router = rig.router.clone();
    let ahead = tokio::spawn(async move { router.route(long()).await });
    tokio::time::sleep(Duration::from_millis(1)).await;

    let hurried = || {
        let mut request = request(false);
        request.hints.goal = deadline(SECOND / 2);
        request
    };
    let error = rig.router.route(hurried()).await.expect_err("too late");
    assert_eq!(
        (error.kind(), error.to_api().status),
        (ErrorKind::TooLate, 429)
    );
    assert_eq!(error.to_api().code.as_deref(), Some("deadline_unreachable"));
    assert_eq!(
        rig.reports.only().ending,
        Ending::Failed(ErrorKind::TooLate)
    );
    assert_eq!(rig.reports.only().attempts, 0, "nobody was asked");

    let wait = error.retry_after().expect("the queue is what takes long");
    tokio::time::sleep(wait + SECOND / 100).await;
    rig.router.route(hurried()).await.expect("in time now");
    ahead.await.expect("no panic").expect("served");
    rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_no_wait_can_help_to_meet_comes_without_advice_to_wait() {
    let rig = rig(|settings| settings.goals.general = deadline(SECOND / 1_000));
    let error = rig.router.route(long()).await.expect_err("too late");
    assert_eq!(error.kind(), ErrorKind::TooLate);
    assert_eq!(error.retry_after(), None);
    let mut patient = long();
    patient.hints.goal = deadline(60 * SECOND);
    rig.router
        .route(patient)
        .await
        .expect("its own word counts");
}

#[tokio::test(start_paused = true)]
async fn what_earlier_attempts_took_counts_against_the_deadline() {
    for (allowed, asked) in [(5 * SECOND, 0), (60 * SECOND, 1)] {
        let (mut settings, engines) = fleet(&[Act::Stuck, Act::Serve]);
        settings.deadlines.first_byte = 10 * SECOND;
        settings.goals.general = deadline(allowed);
        let other = engines.named("b").clone();
        let rig = Rig::driving(settings, move |told| engines.client(told));
        let routed = rig.router.route(request(true)).await;
        assert_eq!(other.sent.load(SeqCst), asked);
        match routed {
            Ok(reply) => assert_eq!((&*reply.endpoint, asked), ("b", 1)),
            Err(error) => assert_eq!((error.kind(), asked), (ErrorKind::Timeout, 0)),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn goals_and_the_caller_reach_the_decision() {
    let seen = Arc::new(Mutex::new(None));
    let told = Arc::clone(&seen);
    let look = filter_fn(move |cx, _| {
        let mut told = told.lock().expect("no panic");
        *told = Some((cx.objectives, cx.priority, cx.caller));
        true
    });
    let pipeline = Pipeline::builder().filter("look", look).build();
    let rig = rig(|settings| {
        settings.pipelines = pipeline.into();
        settings.goals.general.priority = Some(-7);
        settings.goals.models = [("m".to_owned(), deadline(60 * SECOND))].into();
    });
    let mut request = request(false);
    request.hints.caller = 4_711;
    request.hints.goal.objectives.ttft_ms = Some(900.0);
    rig.router.route(request).await.expect("served");
    let (objectives, priority, caller) = seen.lock().expect("no panic").expect("asked");
    assert_eq!(
        (objectives.ttft_ms, priority, caller),
        (Some(900.0), -7, 4_711)
    );
    assert_eq!(objectives.deadline_ms, Some(60_000.0));
}

#[tokio::test]
async fn a_role_is_no_first_token_and_without_usage_events_are_counted() {
    let rest = [ONE, TWO, STOP, DONE].map(chunk).concat();
    let engine = ScriptEngine::always(vec![
        Step::Read,
        Step::Say(stream(&[ROLE])),
        Step::Pause,
        Step::Say(rest + END),
        Step::Stay,
    ])
    .await;
    let rig = Rig::with(settings(&[engine.addr]));
    let reply = rig.ask_for_stream().await.expect("served");
    assert!(rig.reports.all().is_empty());
    text(reply).await;

    let report = rig.reports.only();
    assert_eq!((report.ending, report.usage), (Ending::Completed, None));
    assert!(report.predicted_ttft.is_some());
    let first = report.ttft.expect("there was a token");
    assert!(
        first >= Duration::from_millis(20),
        "the role came before: {first:?}"
    );
    let fleet = rig.router.fleet();
    let accuracy = fleet.by_name("a").expect("listed").state().accuracy();
    assert_eq!(accuracy.count, 1);
    assert!(accuracy.observed_ms >= 20.0);
    let learned = fleet.outputs().learned();
    assert!(
        learned
            .iter()
            .all(|group| (group.tokens - 3.0).abs() < 1e-9),
        "two tokens and the end: {learned:?}"
    );
}
