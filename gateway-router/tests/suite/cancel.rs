//! Callers that leave.

use gateway_router::{Ending, core::health::Availability};

use crate::common::{
    rig::{Rig, chunk, request},
    script::{ScriptEngine, Step, say_and_stay},
    wire::{ONE, stream},
    within,
};

#[tokio::test]
async fn a_caller_who_leaves_before_the_head_closes_the_engines_socket() {
    for streamed in [false, true] {
        let engine = ScriptEngine::always(vec![Step::Read, Step::Stay]).await;
        let other = ScriptEngine::good().await;
        let rig = Rig::new(&[engine.addr, other.addr]);
        let asking = rig.router.route(request(streamed));
        let heard = async {
            while engine.heard().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        within(async {
            tokio::select! {
                _ = asking => panic!("the engine does not answer"),
                () = heard => {}
            }
        })
        .await;
        engine.left(1).await;
        leaves_no_trace(&rig, &other);
    }
}

#[tokio::test]
async fn a_caller_who_leaves_in_mid_stream_closes_the_engines_socket() {
    let engine = ScriptEngine::always(say_and_stay(stream(&[ONE]))).await;
    let other = ScriptEngine::good().await;
    let rig = Rig::new(&[engine.addr, other.addr]);
    let reply = rig.ask_for_stream().await.expect("the stream begins");
    let mut body = reply.response.into_body();
    assert_eq!(chunk(&mut body).await.as_deref(), Some(ONE.as_bytes()));
    let booked = rig
        .router
        .fleet()
        .by_name("a")
        .expect("listed")
        .state()
        .in_flight();
    assert_eq!(
        (booked.requests, booked.prefilling),
        (1, 0),
        "booked, and past its prompt"
    );
    drop(body);
    engine.left(1).await;
    leaves_no_trace(&rig, &other);
}

#[tokio::test]
async fn a_caller_who_leaves_before_reading_anything_closes_the_engines_socket() {
    let engine = ScriptEngine::always(say_and_stay(stream(&[ONE]))).await;
    let other = ScriptEngine::good().await;
    let rig = Rig::new(&[engine.addr, other.addr]);
    drop(rig.ask_for_stream().await.expect("the stream begins"));
    engine.left(1).await;
    leaves_no_trace(&rig, &other);
}

/// The load is given back, the end is told once as the caller's, and no engine is blamed or asked.
fn leaves_no_trace(rig: &Rig, other: &ScriptEngine) {
    rig.assert_idle();
    assert_eq!(rig.reports.only().ending, Ending::Cancelled);
    assert_eq!(rig.availability("a"), Availability::Up);
    assert_eq!(other.accepted(), 0);
}
