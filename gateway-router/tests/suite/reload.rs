//! Settings that change while requests are in flight.

use std::time::Duration;

use gateway_router::{BuildError, Ending, Router, RouterSettings, core::health::Availability};

use crate::common::{
    memory::{Act, fleet},
    rig::{Rig, chunk, endpoint, request, settings, text},
    script::{ScriptEngine, say_and_stay},
    wire::{ANSWER, ONE, stream},
};

#[tokio::test]
async fn endpoints_that_stay_keep_load_health_and_connections() {
    let engine = ScriptEngine::good().await;
    let slow = ScriptEngine::always(say_and_stay(stream(&[ONE]))).await;
    let told = settings(&[engine.addr, slow.addr]);
    let rig = Rig::with(told.clone());
    rig.ask().await.expect("served");
    let state = |name: &str| rig.router.fleet().by_name(name).map(|e| e.state().clone());
    state("a").expect("listed").set_draining(true);
    let streaming = rig.ask_for_stream().await.expect("b begins");
    rig.router.apply(told.clone()).expect("the same settings");
    assert_eq!(rig.availability("a"), Availability::Draining);
    assert_eq!(state("b").expect("listed").in_flight().requests, 1);
    state("a").expect("listed").set_draining(false);
    rig.ask().await.expect("served");
    assert_eq!(
        (engine.accepted(), engine.heard().len()),
        (1, 2),
        "on the old connection"
    );
    drop(streaming);
    rig.assert_idle();
}

#[tokio::test]
async fn an_endpoint_that_is_gone_ends_what_it_began_and_gets_nothing_new() {
    let old = ScriptEngine::always(say_and_stay(stream(&[ONE]))).await;
    let new = ScriptEngine::good().await;
    let rig = Rig::new(&[old.addr]);
    let before = rig.router.fleet();
    let mut body = rig
        .ask_for_stream()
        .await
        .expect("it begins")
        .response
        .into_body();
    let mut told = settings(&[]);
    told.endpoints = vec![endpoint("z", new.addr)];
    rig.router.apply(told).expect("valid");
    assert_eq!(
        chunk(&mut body).await.as_deref(),
        Some(ONE.as_bytes()),
        "the stream goes on"
    );
    assert!(rig.router.fleet().by_name("a").is_none());
    assert_eq!(&*rig.ask().await.expect("served").endpoint, "z");
    let state = before.by_name("a").expect("it was").state();
    assert_eq!(state.in_flight().requests, 1);
    drop(body);
    old.left(1).await;
    assert_eq!(state.in_flight().requests, 0);
    assert_eq!(rig.reports.last().ending, Ending::Cancelled);
}

#[tokio::test]
async fn an_endpoint_that_moved_is_reached_at_its_new_address() {
    let (old, new) = (ScriptEngine::good().await, ScriptEngine::good().await);
    let rig = Rig::new(&[old.addr]);
    rig.ask().await.expect("served");
    rig.router.apply(settings(&[new.addr])).expect("valid");
    rig.ask().await.expect("served");
    assert_eq!((old.heard().len(), new.heard().len()), (1, 1));
}

#[tokio::test]
async fn settings_that_make_no_fleet_change_nothing() {
    let engine = ScriptEngine::good().await;
    let rig = Rig::new(&[engine.addr]);
    let mut told = settings(&[engine.addr, engine.addr]);
    told.endpoints[1].spec.name = "a".into();
    told.retry.attempts = 0;
    let error = rig.router.apply(told).expect_err("two of one name");
    assert!(matches!(error, BuildError::Fleet(_)), "{error}");
    assert_eq!(text(rig.ask().await.expect("served")).await, ANSWER);
}

#[tokio::test(start_paused = true)]
async fn engines_that_are_gone_are_watched_no_longer_and_others_without_a_pause() {
    use std::sync::atomic::Ordering::SeqCst;
    let (told, engines) = fleet(&[Act::Serve, Act::Serve]);
    let by_name = engines.clone();
    let rig = Rig::driving(told.clone(), move |endpoint| by_name.client(endpoint));
    tokio::time::sleep(Duration::from_secs(10)).await;
    let mut less = told;
    less.endpoints.truncate(1);
    rig.router.apply(less).expect("valid");
    let probes = |name: &str| engines.named(name).probed.load(SeqCst);
    let before = (probes("a"), probes("b"));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(probes("b"), before.1);
    let since = probes("a") - before.0;
    assert!(
        (9..=12).contains(&since),
        "{since} probes in 20 s at one every 2 s"
    );
    rig.router.route(request(false)).await.expect("served");
}

#[test]
fn a_router_needs_a_runtime() {
    let built = Router::builder()
        .settings(RouterSettings::default())
        .build();
    assert!(matches!(built, Err(BuildError::NoRuntime)));
}
