//! Deadlines, in virtual time.

use std::time::Duration;

use gateway_router::{Ending, ErrorKind, RouterSettings, core::health::Availability};

use crate::common::{
    memory::{Act, fleet},
    rig::{Rig, request, text},
};

const SECOND: Duration = Duration::from_secs(1);

fn rig(acts: &[Act], change: impl FnOnce(&mut RouterSettings)) -> Rig {
    let (mut settings, engines) = fleet(acts);
    settings.deadlines.first_byte = 10 * SECOND;
    settings.deadlines.idle = 5 * SECOND;
    settings.deadlines.total = 60 * SECOND;
    change(&mut settings);
    Rig::driving(settings, move |told| engines.client(told))
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_does_not_begin_goes_elsewhere() {
    for silent in [Act::Stuck, Act::HeadOnly] {
        let rig = rig(&[silent, Act::Serve], |_| {});
        let reply = rig.router.route(request(true)).await.expect("served");
        assert_eq!(&*reply.endpoint, "b");
        text(reply).await;
        assert_eq!(rig.reports.only().attempts, 2);
        assert_eq!(rig.availability("a"), Availability::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_whole_reply_may_take_as_long_as_the_request() {
    let rig = rig(&[Act::ServeAfter(50 * SECOND), Act::Serve], |_| {});
    let reply = rig.router.route(request(false)).await.expect("served");
    assert_eq!(&*reply.endpoint, "a");
}

#[tokio::test(start_paused = true)]
async fn the_total_deadline_ends_a_request_for_good() {
    let rig = rig(&[Act::Stuck, Act::Serve], |_| {});
    let began = rig.router.clock().now();
    let error = rig
        .router
        .route(request(false))
        .await
        .expect_err("too late");
    assert_eq!(
        (error.kind(), error.to_api().status),
        (ErrorKind::Timeout, 504)
    );
    let took = rig.router.clock().now().since(began);
    assert!(
        took >= 60 * SECOND && took < 61 * SECOND,
        "virtual time: {took:?}"
    );
    assert_eq!(rig.reports.only().attempts, 1);
    assert_eq!(
        rig.availability("a"),
        Availability::Open,
        "a minute without a word is a failure"
    );
    rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn a_caller_in_a_hurry_takes_no_engine_out() {
    for streamed in [false, true] {
        let rig = rig(&[Act::Stuck, Act::Serve], |_| {});
        let mut request = request(streamed);
        request.hints.total = Some(SECOND);
        let error = rig.router.route(request).await.expect_err("too late");
        assert_eq!(
            (error.kind(), error.to_api().status),
            (ErrorKind::OutOfTime, 504)
        );
        assert_eq!(rig.availability("a"), Availability::Up);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hint_shortens_the_total_deadline_and_never_lengthens_it() {
    let rig = rig(&[Act::Stuck], |_| {});
    let mut request = request(false);
    request.hints.total = Some(600 * SECOND);
    rig.router.route(request).await.expect_err("too late");
    assert!(rig.reports.only().total < 61 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_the_total_deadline_bounds_the_next_attempt() {
    let rig = rig(&[Act::Stuck, Act::Stuck], |settings| {
        settings.deadlines.total = 15 * SECOND
    });
    let error = rig.router.route(request(true)).await.expect_err("too late");
    assert_eq!(error.kind(), ErrorKind::OutOfTime);
    let report = rig.reports.only();
    assert!(
        report.total >= 15 * SECOND && report.total < 16 * SECOND,
        "{:?}",
        report.total
    );
    assert_eq!(report.attempts, 2);
    assert_eq!(
        rig.availability("b"),
        Availability::Up,
        "it had five of its ten seconds"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_falls_silent_is_ended() {
    let rig = rig(
        &[Act::Freeze {
            after: 3,
            every: 4 * SECOND,
        }],
        |_| {},
    );
    let reply = rig.router.route(request(true)).await.expect("it begins");
    let said = text(reply).await;
    assert_eq!(
        said.matches("content").count(),
        3,
        "pauses below the deadline are no silence"
    );
    assert!(
        said.contains("silent") && !said.contains("[DONE]"),
        "{said}"
    );
    let report = rig.reports.only();
    assert_eq!(report.ending, Ending::Failed(ErrorKind::Timeout));
    assert_eq!(report.gaps.count, 2, "{:?}", report.gaps);
    assert_eq!(report.gaps.sum_micros, 8_000_000);
    assert_eq!(rig.availability("a"), Availability::Open);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_goes_on_past_the_total_deadline_is_ended_without_blame() {
    let endless = Act::Freeze {
        after: usize::MAX,
        every: SECOND,
    };
    // Ten seconds are lost on the first engine; they count too.
    let rig = rig(&[Act::Stuck, endless], |_| {});
    let reply = rig.router.route(request(true)).await.expect("it begins");
    let said = text(reply).await;
    assert!(
        said.contains("longer than it may") && !said.contains("[DONE]"),
        "{said}"
    );
    let report = rig.reports.only();
    assert_eq!(report.ending, Ending::Failed(ErrorKind::OutOfTime));
    assert!(
        report.total >= 60 * SECOND && report.total < 62 * SECOND,
        "{:?}",
        report.total
    );
    assert_eq!(rig.availability("b"), Availability::Up);
    rig.assert_idle();
}
