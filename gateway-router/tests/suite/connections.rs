//! Connections that die, in the ways engines were seen to let them die.

use std::time::Duration;

use gateway_router::{ErrorKind, core::health::Availability};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::common::{
    rig::{Rig, settings, text},
    script::{ScriptEngine, Step, say, say_and_stay},
    wire::{self, answer},
};

use Step::{Die, Read, Say};

#[tokio::test]
async fn requests_in_turn_share_a_connection() {
    let turns = [say(answer()), say(answer()), say(answer())].concat();
    let engine = ScriptEngine::on_each(vec![turns]).await;
    let rig = Rig::new(&[engine.addr]);
    for _ in 0..3 {
        rig.ask().await.expect("served");
    }
    assert_eq!((engine.accepted(), engine.heard().len()), (1, 3));
}

/// As llama.cpp does: keep-alive is promised, the socket closed after the reply all the same.
#[tokio::test]
async fn a_connection_closed_after_each_reply_is_never_seen_by_the_caller() {
    let engine = ScriptEngine::always(say(answer())).await;
    let rig = Rig::new(&[engine.addr]);
    for _ in 0..5 {
        rig.ask().await.expect("served");
    }
    assert!(rig.reports.all().iter().all(|report| report.attempts == 1));
    assert_eq!(engine.heard().len(), 5, "nothing was asked twice");
    assert_eq!(rig.availability("a"), Availability::Up);
}

#[tokio::test]
async fn a_pooled_connection_that_dies_on_the_next_request_is_replayed_once_on_a_new_one() {
    let dies = [say(answer()), vec![Read]].concat();
    let engine = ScriptEngine::on_each(vec![dies, say_and_stay(answer())]).await;
    let other = ScriptEngine::good().await;
    let rig = Rig::new(&[engine.addr, other.addr]);
    rig.ask().await.expect("served");
    let reply = rig.ask().await.expect("served");
    assert_eq!(&*reply.endpoint, "a");
    assert_eq!(rig.reports.last().attempts, 1, "a replay is no attempt");
    assert_eq!(rig.availability("a"), Availability::Up, "and no failure");
    assert_eq!(
        (engine.accepted(), engine.heard().len(), other.accepted()),
        (2, 3, 0)
    );
}

#[tokio::test]
async fn a_replay_that_fails_too_goes_elsewhere() {
    let dies = [say(answer()), vec![Read]].concat();
    let engine = ScriptEngine::on_each(vec![dies, vec![Read]]).await;
    let other = ScriptEngine::good().await;
    let rig = Rig::new(&[engine.addr, other.addr]);
    rig.ask().await.expect("served");
    let reply = rig.ask().await.expect("served");
    assert_eq!(&*reply.endpoint, "b");
    assert_eq!(rig.reports.last().attempts, 2);
    assert_eq!((engine.heard().len(), other.heard().len()), (3, 1));
}

#[tokio::test]
async fn a_poisonous_request_reaches_two_engines_at_most() {
    let mut engines = Vec::new();
    for _ in 0..4 {
        engines.push(ScriptEngine::always(vec![Read]).await);
    }
    let mut settings = settings(&[0, 1, 2, 3].map(|n: usize| engines[n].addr));
    settings.retry.attempts = 4;
    let rig = Rig::with(settings);
    let error = rig.ask().await.expect_err("every engine dies of it");
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(error.to_api().status, 502);
    assert_eq!(
        engines.iter().map(|e| e.heard().len()).collect::<Vec<_>>(),
        [1, 1, 0, 0]
    );
}

#[tokio::test]
async fn engines_that_are_busy_in_between_do_not_let_a_poisonous_request_kill_a_third() {
    let deadly = || ScriptEngine::always(vec![Read]);
    let (first, second, third) = (deadly().await, deadly().await, deadly().await);
    let busy = ScriptEngine::always(say(wire::reply(503, "{}"))).await;
    let mut settings = settings(&[first.addr, busy.addr, second.addr, third.addr]);
    settings.retry.attempts = 4;
    let rig = Rig::with(settings);
    let error = rig.ask().await.expect_err("two engines died of it");
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!((second.heard().len(), third.heard().len()), (1, 0));
}

#[tokio::test]
async fn an_engine_that_dies_on_a_pooled_connection_counts_as_dead_of_the_request() {
    let dies = [say(answer()), vec![Read, Die]].concat();
    let first = ScriptEngine::on_each(vec![dies]).await;
    let (second, third) = (
        ScriptEngine::always(vec![Read]).await,
        ScriptEngine::good().await,
    );
    let rig = Rig::new(&[first.addr, second.addr, third.addr]);
    rig.ask().await.expect("served");
    let error = rig.ask().await.expect_err("two engines died of it");
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!((second.heard().len(), third.heard().len()), (1, 0));
}

#[tokio::test]
async fn a_refused_connection_goes_elsewhere() {
    let gone = ScriptEngine::good().await.addr;
    let other = ScriptEngine::good().await;
    let rig = Rig::new(&[gone, other.addr]);
    assert_eq!(text(rig.ask().await.expect("served")).await, wire::ANSWER);
    assert_eq!(rig.reports.only().attempts, 2);
    assert_eq!(rig.availability("a"), Availability::Open);
}

/// A listener whose queue is full drops what asks for a connection, as a host that hangs does.
#[tokio::test]
async fn a_connection_that_does_not_come_about_goes_elsewhere() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind("127.0.0.1:0".parse().expect("an address"))
        .expect("a port");
    let deaf = socket.listen(1).expect("listening");
    let addr = deaf.local_addr().expect("bound");
    let mut queue = Vec::new();
    while let Ok(waits) = timeout(Duration::from_millis(500), TcpStream::connect(addr)).await {
        queue.push(waits.expect("it listens"));
        assert!(queue.len() < 100, "the queue has an end");
    }
    let other = ScriptEngine::good().await;
    let mut settings = settings(&[addr, other.addr]);
    settings.deadlines.connect = Duration::from_secs(1);
    let rig = Rig::with(settings);
    let reply = rig.ask().await.expect("served");
    assert_eq!(&*reply.endpoint, "b");
    assert_eq!(rig.reports.only().attempts, 2);
}

#[tokio::test]
async fn a_reply_that_is_no_http_is_not_asked_for_again() {
    let babbles = vec![
        Read,
        Say(answer()),
        Read,
        Say("SSH-2.0-OpenSSH_9.2\r\n\r\n".into()),
    ];
    let engine = ScriptEngine::on_each(vec![babbles, say_and_stay(answer())]).await;
    let other = ScriptEngine::good().await;
    let rig = Rig::new(&[engine.addr, other.addr]);
    rig.ask().await.expect("served");
    assert_eq!(&*rig.ask().await.expect("served").endpoint, "b");
    assert_eq!((engine.accepted(), engine.heard().len()), (1, 2));
}
