//! The line before engines that are full.

use std::{
    future::{Future as _, poll_fn},
    sync::{Arc, Mutex, atomic::Ordering::SeqCst},
    task::Poll,
    time::Duration,
};

use gateway_router::{
    AdmissionSettings, ErrorKind, Origin,
    core::admission::{AdmissionPolicy, Class, QueueLimits},
};
use tokio::time::sleep;

use super::{SECOND, bounded, of, rig, send, waiting};
use crate::common::{
    memory::{Act, fleet},
    rig::Rig,
};

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

#[tokio::test(start_paused = true)]
async fn a_reload_puts_those_who_wait_into_the_classes_that_hold_now() {
    let (told, engines) = fleet(&[SLOW]);
    let classes = |classes: &[(&str, i8)]| {
        let class = |&(name, from): &(&str, i8)| Class {
            name: name.to_owned(),
            from,
            ..AdmissionPolicy::default().classes()[0].clone()
        };
        let classes = classes.iter().map(class).collect();
        let policy = AdmissionPolicy::new(QueueLimits::default(), classes);
        let mut told = told.clone();
        let mut admission = AdmissionSettings::default();
        admission.room.requests = Some(1);
        admission.policy = policy.expect("makes sense").into();
        told.admission = Some(admission);
        told
    };
    let by_name = engines.clone();
    let rig = Rig::driving(classes(&[("all", -100)]), move |told| by_name.client(told));
    let order: Arc<Mutex<Vec<i8>>> = Arc::default();
    let mut tasks = Vec::new();
    // The first is served at once; of the rest eight come to the door in the order they came.
    for priority in [[0; 14].as_slice(), &[-5; 3], &[5; 3]].concat() {
        let (router, order) = (rig.router.clone(), Arc::clone(&order));
        tasks.push(tokio::spawn(async move {
            router.route(of(1, priority)).await.expect("served");
            order.lock().expect("no panic").push(priority);
        }));
        sleep(Duration::from_millis(1)).await;
    }
    let waiting = |name| rig.router.admission()[name].waiting;
    assert_eq!(waiting("all"), 19);
    rig.router
        .apply(classes(&[("high", 1), ("middle", 0), ("low", -100)]))
        .expect("valid");
    assert_eq!(
        (waiting("high"), waiting("middle"), waiting("low")),
        (3, 13, 3)
    );
    for task in tasks {
        task.await.expect("no panic");
    }
    let order = order.lock().expect("no panic").clone();
    // Behind whoever was served already and the one whose turn it was.
    assert_eq!(order[2..5], [5; 3], "{order:?}");
    assert_eq!(order[17..], [-5; 3], "{order:?}");
    rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn who_was_given_up_and_has_not_heard_of_it_takes_nobody_elses_place() {
    let (rig, engines) = rig(&[SLOW], 1, bounded(1, 60 * SECOND));
    let held = send(&rig.router, of(1, 0)).await;
    let low = send(&rig.router, of(2, -5)).await;
    // No task runs meanwhile: it is given up, and the line of whoever took its place ends before it wakes.
    let mut takes_its_place = Box::pin(rig.router.route(of(3, 0)));
    let polled = poll_fn(|cx| Poll::Ready(takes_its_place.as_mut().poll(cx))).await;
    assert!(polled.is_pending());
    drop(takes_its_place);
    let mut next = Box::pin(rig.router.route(of(4, 0)));
    let polled = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await;
    assert!(polled.is_pending());
    let shed = low.await.expect("no panic").expect_err("given up");
    assert_eq!(shed.kind(), ErrorKind::Shed);
    assert_eq!(waiting(&rig), 1, "the next one still waits");
    next.await.expect("served");
    held.await.expect("no panic").expect("served");
    assert_eq!(engines.sent(), 2);
    rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn who_waits_goes_to_endpoints_that_came_meanwhile_and_not_to_those_that_went() {
    let (told, engines) = fleet(&[Act::Stuck, SLOW]);
    let with = |names: &[&str]| {
        let mut told = told.clone();
        told.endpoints
            .retain(|one| names.contains(&one.spec.name.as_str()));
        let mut admission = AdmissionSettings::default();
        admission.room.requests = Some(1);
        told.admission = Some(admission);
        told
    };
    let by_name = engines.clone();
    let rig = Rig::driving(with(&["a"]), move |told| by_name.client(told));
    let held = send(&rig.router, of(1, 0)).await;
    let tasks = [
        send(&rig.router, of(1, 0)).await,
        send(&rig.router, of(1, 0)).await,
    ];
    assert_eq!(waiting(&rig), 2);
    rig.router.apply(with(&["a", "b"])).expect("valid");
    sleep(Duration::from_millis(1)).await;
    assert_eq!(
        (waiting(&rig), engines.named("b").sent.load(SeqCst)),
        (1, 1)
    );
    for task in tasks {
        let reply = task.await.expect("no panic").expect("served");
        assert_eq!(&*reply.endpoint, "b");
    }
    let queued: Vec<_> = rig.reports.all().iter().map(|one| one.queued).collect();
    assert!(queued[1].abs_diff(2 * SECOND) < SECOND / 10, "{queued:?}");
    let normal = rig.router.admission()["normal"].counts;
    assert_eq!((normal.served, normal.left), (2, 0), "each kept its place");
    // The model goes altogether while somebody waits for it.
    let gone = send(&rig.router, of(1, 0)).await;
    let waits = send(&rig.router, of(1, 0)).await;
    let mut other = with(&["a", "b"]);
    for endpoint in &mut other.endpoints {
        endpoint.spec.models = vec!["other".to_owned()];
    }
    rig.router.apply(other).expect("valid");
    let error = waits.await.expect("no panic").expect_err("nobody has it");
    assert_eq!(error.kind(), ErrorKind::UnknownModel);
    assert_eq!(waiting(&rig), 0);
    held.abort();
    gone.abort();
}
