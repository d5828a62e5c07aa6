//! Signals to the process.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time,
};

use crate::{
    child::{Child, file},
    rig::{self, CHAT, KEY},
    wire::{get, request},
};

async fn pause() {
    time::sleep(Duration::from_millis(20)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_reloads_and_a_bad_file_ends_nothing() {
    let engines = rig::engines(1, 100.0).await;
    let text = rig::yaml(&engines, "", "");
    let (_folder, file) = file(&text);
    let (child, address) = Child::serve(&file);
    let until = |line: &'static str| async move {
        while !get(address, "/metrics", &[]).await.body.contains(line) {
            pause().await;
        }
    };

    // The file is as it was, so that only the signal can have been the reason.
    child.signal("-HUP");
    until("gateway_reloads_total{result=\"taken\"} 1\n").await;

    std::fs::write(&file, "listn: x\n").expect("written");
    child.signal("-HUP");
    while get(address, "/metrics", &[])
        .await
        .body
        .contains("gateway_reloads_total{result=\"refused\"} 0\n")
    {
        pause().await;
    }
    let models = get(address, "/v1/models", &[("x-api-key", KEY)]).await;
    assert_eq!(models.status, 200, "what was in force still is");

    child.signal("-TERM");
    let (well, log) = child.end();
    assert!(well, "{log}");
    assert!(log.contains("configuration reloaded"), "{log}");
    assert!(log.contains("unknown key `listn`"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_signal_cuts() {
    let engines = rig::engines(1, 0.01).await;
    let more = "drain: {delay: 1h, deadline: 1h}\n";
    let (_folder, file) = file(&rig::yaml(&engines, "", more));
    let (child, address) = Child::serve(&file);
    let mut client = TcpStream::connect(address).await.expect("open");
    let headers = [("x-api-key", KEY)];
    let raw = request("POST", "/v1/chat/completions", &headers, CHAT.as_bytes());
    client.write_all(&raw).await.expect("sent");
    while engines[0].stats().requests == 0 {
        pause().await;
    }

    child.signal("-TERM");
    while get(address, "/ready", &[]).await.status != 503 {
        pause().await;
    }
    child.signal("-INT");
    let (well, log) = tokio::task::spawn_blocking(|| child.end())
        .await
        .expect("no panic");
    assert!(well, "{log}");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap_or_default();
    assert!(answer.is_empty(), "it was cut before its reply");
    while engines[0].stats().aborted == 0 {
        pause().await;
    }
}
