//! The line before engines that are full.

use std::{
    sync::{Arc, Mutex, atomic::Ordering::SeqCst},
    time::Duration,
};

use gateway_router::{ErrorKind, Origin};
use tokio::time::sleep;

use super::{SECOND, bounded, of, rig, send, waiting};
use crate::common::memory::Act;

const SLOW: Act = Act::ServeAfter(Duration::from_secs(2));

#[tokio::test(start_paused = true)]
async fn who_finds_no_room_waits_here_and_goes_when_there_is_some() {
    let (rig, engines) = rig(&[SLOW], 1, |_| {});
    let a = engines.named("a");
    let first = send(&rig.router, of(1, 0)).await;
    let second = send(&rig.router, of(1, 0)).await;
    assert_eq!((a.sent.load(SeqCst), waiting(&rig)), (1, 1));
    first.await.expect("no panic").expect("served");
    sleep(Duration::from_millis(1)).await;
    assert_eq!((a.sent.load(SeqCst), waiting(&rig)), (2, 0));
    second.await.expect("no panic").expect("served");
    let queued: Vec<_> = rig.reports.all().iter().map(|one| one.queued).collect();
    assert_eq!(queued[0], Duration::ZERO);
    assert!(queued[1].abs_diff(2 * SECOND) < SECOND / 10, "{queued:?}");
    rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn any_endpoint_with_room_serves_whoever_is_next() {
    let (rig, engines) = rig(&[Act::ServeAfter(9 * SECOND), SLOW], 1, |_| {});
    let held = [
        send(&rig.router, of(1, 0)).await,
        send(&rig.router, of(1, 0)).await,
    ];
    let next = send(&rig.router, of(1, 0)).await;
    let reply = next.await.expect("no panic").expect("served");
    assert_eq!(&*reply.endpoint, "b", "the first to have room");
    assert_eq!(engines.sent(), 3);
    for one in held {
        one.await.expect("no panic").expect("served");
    }
}

#[tokio::test(start_paused = true)]
async fn priorities_go_first_and_callers_take_turns() {
    let (rig, _) = rig(&[SLOW], 1, |_| {});
    let order: Arc<Mutex<Vec<&str>>> = Arc::default();
    let mut tasks = Vec::new();
    let wanted = [
        // Serves, then eight come to the door in the order they came.
        (1, 0, "greedy", 24),
        (2, 0, "modest", 2),
        (3, 7, "urgent", 1),
    ];
    for (caller, priority, name, count) in wanted {
        for _ in 0..count {
            let (router, order) = (rig.router.clone(), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                router.route(of(caller, priority)).await.expect("served");
                order.lock().expect("no panic").push(name);
            }));
            sleep(Duration::from_millis(1)).await;
        }
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    let order = order.lock().expect("no panic").clone();
    let place = |name| order.iter().position(|one| *one == name).expect("served");
    let last = |name| order.iter().rposition(|one| *one == name).expect("served");
    assert_eq!(order.len(), 27);
    assert!(place("urgent") <= 2, "{order:?}");
    assert!(
        last("modest") < 20,
        "not behind all of the greedy: {order:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_line_refuses_and_says_when_and_gives_up_what_matters_less() {
    let (rig, _) = rig(&[SLOW], 1, bounded(3, 60 * SECOND));
    let mut tasks = Vec::new();
    for _ in 0..2 {
        tasks.push(send(&rig.router, of(1, 0)).await);
    }
    let low = send(&rig.router, of(2, -5)).await;
    let lowest = send(&rig.router, of(2, -9)).await;
    let refused = rig.router.route(of(2, -9)).await.expect_err("full");
    assert_eq!(refused.kind(), ErrorKind::QueueFull);
    assert_eq!(
        (refused.to_api().status, refused.origin()),
        (429, Origin::Gateway)
    );
    tasks.push(send(&rig.router, of(1, 0)).await);
    let shed = lowest.await.expect("no panic").expect_err("given up");
    assert_eq!((shed.kind(), shed.to_api().status), (ErrorKind::Shed, 429));
    for task in tasks {
        task.await.expect("no panic").expect("served");
    }
    low.await
        .expect("no panic")
        .expect("it came to its turn in the end");
    let classes = rig.router.admission();
    let low = classes["low"].counts;
    assert_eq!((low.served, low.refused, low.shed), (1, 1, 1));
    assert_eq!(classes["normal"].counts.served, 2, "one never waited");
    rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn what_a_refusal_says_of_when_to_come_again_is_true() {
    let (rig, _) = rig(&[SLOW], 1, bounded(6, 600 * SECOND));
    let mut tasks = Vec::new();
    for _ in 0..7 {
        tasks.push(send(&rig.router, of(1, 0)).await);
    }
    // Let it drain for a while, with new ones in place of those that were served.
    for _ in 0..20 {
        sleep(2 * SECOND).await;
        tasks.push(send(&rig.router, of(1, 0)).await);
    }
    let refused = rig.router.route(of(1, 0)).await.expect_err("full");
    let wait = refused.retry_after().expect("measured");
    // Six wait, and one is served every two seconds.
    assert!(wait.abs_diff(12 * SECOND) < 3 * SECOND, "{wait:?}");
    for task in tasks {
        task.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_the_class_or_the_request_whichever_is_first() {
    let (rig, _) = rig(&[Act::Stuck], 1, bounded(10, 5 * SECOND));
    let held = send(&rig.router, of(1, 0)).await;
    let began = rig.router.clock().now();
    let error = rig.router.route(of(1, 0)).await.expect_err("no room");
    assert_eq!(error.kind(), ErrorKind::QueueTimeout);
    assert_eq!(error.to_api().status, 503);
    let mut hurried = of(1, 0);
    hurried.hints.total = Some(SECOND);
    rig.router.route(hurried).await.expect_err("no room");
    let took = rig.router.clock().now().since(began);
    assert!(took.abs_diff(6 * SECOND) < SECOND / 10, "{took:?}");
    assert_eq!(rig.router.admission()["normal"].counts.overdue, 2);
    held.abort();
}

#[tokio::test(start_paused = true)]
async fn who_leaves_makes_way_for_those_behind() {
    let (rig, engines) = rig(&[SLOW], 1, |_| {});
    let held = send(&rig.router, of(1, 0)).await;
    let gone = send(&rig.router, of(1, 0)).await;
    let stays = send(&rig.router, of(1, 0)).await;
    gone.abort();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(waiting(&rig), 1);
    // A caller in flight leaves, too: his room is free at once.
    held.abort();
    sleep(Duration::from_millis(1)).await;
    assert_eq!((waiting(&rig), engines.sent()), (0, 2));
    stays.await.expect("no panic").expect("served");
    assert_eq!(rig.router.admission()["normal"].counts.left, 1);
    rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_model_because_another_one_is_full() {
    let (rig, _) = rig(&[Act::Stuck, Act::Serve], 1, |settings| {
        settings.endpoints[1].spec.models = vec!["other".to_owned()];
    });
    let held = send(&rig.router, of(1, 0)).await;
    let waits = send(&rig.router, of(1, 0)).await;
    let mut other = of(1, 0);
    other.view.model = "other".into();
    rig.router.route(other).await.expect("it has room");
    assert_eq!(waiting(&rig), 1);
    held.abort();
    waits.abort();
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_no_reason_to_wait() {
    let (rig, _) = rig(&[Act::Stuck, Act::Serve], 1, |_| {});
    let held = send(&rig.router, of(1, 0)).await;
    let fleet = rig.router.fleet();
    fleet
        .endpoints()
        .iter()
        .for_each(|one| one.state().set_draining(true));
    let error = rig.router.route(of(1, 0)).await.expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::NoEndpoint);
    fleet.endpoints()[0].state().set_draining(false);
    let waits = send(&rig.router, of(1, 0)).await;
    assert_eq!(waiting(&rig), 1, "on the one that is full");
    fleet.endpoints()[1].state().set_draining(false);
    let reply = waits.await.expect("no panic").expect("served");
    assert_eq!(&*reply.endpoint, "b", "as soon as it is back");
    held.abort();
}
