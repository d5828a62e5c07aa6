//! Readiness, engines that come late, draining.

use std::time::Duration;

use gateway_bin::Options;
use gateway_sim::engine::{SimConfig, SimEngine};
use gateway_sim::model::ChipProfile;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time,
};

use crate::{
    rig::{self, CHAT, KEY, Plan, Rig},
    wire::{get, request},
};

const STREAM: &str =
    r#"{"model":"m","stream":true,"max_tokens":60,"messages":[{"role":"user","content":"hello"}]}"#;

/// Asks until `path` answers `status`.
async fn until(address: std::net::SocketAddr, path: &str, status: u16) {
    while get(address, path, &[]).await.status != status {
        time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_the_engines() {
    let more = "watch: {probe_every: 50ms, probe_timeout: 500ms, back_off_at_most: 50ms}\n";
    let mut rig = Rig::start(Plan {
        more,
        ..Plan::default()
    })
    .await;
    until(rig.addr(), "/ready", 200).await;
    rig.engines.remove(0).shutdown().await;
    until(rig.addr(), "/ready", 503).await;
    assert_eq!(
        get(rig.addr(), "/health", &[]).await.status,
        200,
        "the process lives on"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_comes_late_is_asked_again() {
    // A port that nobody listens on until later.
    let reserved = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = reserved.local_addr().expect("bound");
    drop(reserved);
    let more =
        format!("  - {{name: late, url: \"http://{address}\"}}\nwatch: {{probe_every: 50ms}}\n");
    let gateway = rig::start(&rig::yaml(&[], "", &more), Options::default()).await;
    let models = || async {
        get(gateway.addr(), "/v1/models", &[("x-api-key", KEY)])
            .await
            .body
    };
    assert!(!models().await.contains("\"id\""));

    let chip = ChipProfile::named("8b-h100").expect("a known chip");
    let config = SimConfig {
        listen: address,
        ..SimConfig::new("late-model", chip)
    };
    let _engine = SimEngine::start(config).await.expect("an engine");
    while !models().await.contains("late-model") {
        time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_finishes_what_is_in_flight() {
    let more = "drain: {delay: 500ms, deadline: 60s}\n";
    let rig = Rig::start(Plan {
        speed: 0.5,
        more,
        ..Plan::default()
    })
    .await;
    let address = rig.addr();
    let mut idle = TcpStream::connect(address).await.expect("open");
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: t\r\n\r\n")
        .await
        .expect("sent");
    let mut first = [0; 1_024];
    assert!(idle.read(&mut first).await.expect("answered") > 0);

    let mut stream = TcpStream::connect(address).await.expect("open");
    let raw = request(
        "POST",
        "/v1/chat/completions",
        &[("x-api-key", KEY)],
        STREAM.as_bytes(),
    );
    stream.write_all(&raw).await.expect("sent");
    let count = stream.read(&mut first).await.expect("the stream has begun");
    let mut answer = first[..count].to_vec();

    rig.gateway.drain();
    until(address, "/ready", 503).await;
    assert_eq!(
        get(address, "/health", &[]).await.status,
        200,
        "during the delay all is served"
    );

    stream.read_to_end(&mut answer).await.expect("whole");
    assert!(
        String::from_utf8_lossy(&answer).contains("data: [DONE]"),
        "the stream ended well"
    );
    assert_eq!(
        idle.read(&mut first).await.expect("closed in order"),
        0,
        "idle connections are closed"
    );
    let Rig { gateway, engines } = rig;
    tokio::task::spawn_blocking(move || gateway.wait())
        .await
        .expect("ended");
    assert!(
        TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
    assert_eq!(engines[0].stats().aborted, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_ends_at_its_deadline() {
    let rig = Rig::start(Plan {
        speed: 0.01,
        more: "drain: {deadline: 100ms}\n",
        ..Plan::default()
    })
    .await;
    let mut stream = TcpStream::connect(rig.addr()).await.expect("open");
    let raw = request(
        "POST",
        "/v1/chat/completions",
        &[("x-api-key", KEY)],
        STREAM.as_bytes(),
    );
    stream.write_all(&raw).await.expect("sent");
    while rig.engines[0].stats().requests == 0 {
        time::sleep(Duration::from_millis(5)).await;
    }
    let Rig { gateway, engines } = rig;
    gateway.drain();
    tokio::task::spawn_blocking(move || gateway.wait())
        .await
        .expect("ended");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap_or_default();
    assert!(
        !String::from_utf8_lossy(&rest).contains("[DONE]"),
        "it was cut"
    );
    while engines[0].stats().aborted == 0 {
        time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_frees_the_engine() {
    let rig = Rig::start(Plan {
        speed: 0.05,
        ..Plan::default()
    })
    .await;
    let mut stream = TcpStream::connect(rig.addr()).await.expect("open");
    let raw = request(
        "POST",
        "/v1/chat/completions",
        &[("x-api-key", KEY)],
        CHAT.as_bytes(),
    );
    stream.write_all(&raw).await.expect("sent");
    while rig.engines[0].stats().requests == 0 {
        time::sleep(Duration::from_millis(5)).await;
    }
    drop(stream);
    while rig.engines[0].stats().aborted == 0 {
        time::sleep(Duration::from_millis(5)).await;
    }
}
