//! Calls that go on with an answer.

use std::time::Duration;

use gateway_router::{ErrorKind, Leg, RouteError, TokenReply, core::Timestamp};

use super::{FIVE, LAST, read, request, vllm};
use crate::common::{
    rig::Rig,
    script::{ScriptEngine, say_and_stay},
    wire::{DONE, stream},
    within,
};

/// Asks for leg `number` of a request that came when the clock began to run.
async fn late(rig: &Rig, number: u32, total: Option<Duration>) -> Result<TokenReply, RouteError> {
    let mut request = request();
    request.leg = Leg {
        number,
        began: Some(Timestamp::ZERO),
        ..Leg::default()
    };
    request.hints.total = total;
    request.hints.goal.objectives.deadline_ms = Some(1e-6);
    within(rig.router.generate(request)).await
}

#[tokio::test]
async fn the_time_of_a_request_runs_on_through_its_legs() {
    let engine = ScriptEngine::always(say_and_stay(stream(&[]))).await;
    let rig = vllm(&[&engine]);
    let error = late(&rig, 1, Some(Duration::from_micros(1))).await;
    let error = error.expect_err("its time is up");
    assert_eq!(error.kind(), ErrorKind::OutOfTime);
    rig.assert_idle();
}

#[tokio::test]
async fn an_answer_that_has_begun_is_not_refused_for_its_deadline() {
    let engine = ScriptEngine::always(say_and_stay(stream(&[FIVE, LAST, DONE]))).await;
    let rig = vllm(&[&engine]);
    let first = late(&rig, 0, None).await.expect_err("it comes too late");
    assert_eq!(first.kind(), ErrorKind::TooLate);
    let (ids, end) = read(late(&rig, 1, None).await.expect("it goes on")).await;
    assert_eq!((ids, end.is_ok()), (vec![5, 7], true));
    assert_eq!(
        rig.reports.last().ttft,
        None,
        "its first token came earlier"
    );
}
