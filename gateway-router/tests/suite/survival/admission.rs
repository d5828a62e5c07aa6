//! Answers that are taken up where engines take so many requests and no more.

use std::time::Duration;

use gateway_router::AdmissionSettings;
use tokio::time::sleep;

use super::{
    Fleet, call, read, request, undisturbed,
    writer::{Fault, How, fault},
};

/// Requests that an engine takes.
const EACH: u32 = 3;

/// An engine dies with all it has: the rest of its answers comes to the other one as there is room, before whatever is new,
/// and every reader gets the bytes of a run in which nothing fails.
#[tokio::test(start_paused = true)]
async fn the_answers_of_an_engine_that_died_come_to_the_others_as_there_is_room() {
    let dies = [fault(How::Breaks, 5); EACH as usize];
    let faults: [&[Fault]; 2] = [&dies, &[]];
    let fleet = Fleet::with(&faults, |settings| {
        let mut admission = AdmissionSettings::default();
        admission.room.requests = Some(EACH);
        settings.admission = Some(admission);
        // Who broke is not asked again.
        settings.fleet.health.open_for = Duration::from_mins(10);
        settings.fleet.health.open_at_most = Duration::from_mins(10);
    });
    let ask = |tokens: u64| {
        let (router, request) = (fleet.rig.router.clone(), request(call(tokens)));
        tokio::spawn(async move {
            let reply = router.generate(request).await.expect("it begins");
            (reply.endpoint.to_string(), read(reply).await)
        })
    };
    let mut tasks: Vec<_> = (0..2 * EACH).map(|_| ask(30)).collect();
    sleep(Duration::from_millis(1)).await;
    let new = ask(20);
    let b = fleet.rig.router.fleet().endpoints()[1].clone();
    let mut most = 0;
    while !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        most = most.max(b.state().in_flight().requests);
        assert!(!new.is_finished(), "it was new");
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(most, EACH, "never more than it takes, and not fewer");
    let whole = undisturbed(request(call(30))).await;
    for task in tasks.drain(..) {
        assert_eq!(task.await.expect("no panic").1, whole);
    }
    assert_eq!(new.await.expect("no panic").0, "b");
    let resumed = fleet.calls(1).len();
    assert_eq!(resumed, 2 * EACH as usize + 1);
    fleet.rig.assert_idle();
}
