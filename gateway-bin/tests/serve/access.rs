//! What is logged of a request.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time};

use crate::{
    child::{Child, file},
    rig::{self, CHAT, KEY},
    wire::{exchange, request},
};

/// A chat's bytes.
fn chat(id: &str, body: &str) -> Vec<u8> {
    let headers = [("x-api-key", KEY), ("x-request-id", id)];
    request("POST", "/v1/chat/completions", &headers, body.as_bytes())
}

async fn sent(address: SocketAddr, id: &str, body: &str) -> u16 {
    exchange(address, &chat(id, body)).await.status
}

/// The only access line of request `id`.
fn access<'a>(lines: &'a [Value], id: &str) -> &'a Value {
    let of_it = |line: &&Value| line["target"] == "gateway::access" && line["request_id"] == id;
    let found: Vec<_> = lines.iter().filter(of_it).collect();
    assert_eq!(found.len(), 1, "one line a request: {found:?}");
    found[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_one_line_with_its_status() {
    let engines = rig::engines(1, 100.0).await;
    let (_folder, file) = file(&rig::yaml(&engines, "", ""));
    let (child, address) = Child::serve(&file);
    let stream = CHAT.replacen('{', "{\"stream\":true,", 1);
    let unknown = CHAT.replace("\"m\"", "\"unheard-of\"");
    for (id, body, status) in [
        ("whole", CHAT, 200),
        ("stream", &stream, 200),
        ("unknown", &unknown, 404),
        ("invalid", "{}", 400),
    ] {
        assert_eq!(sent(address, id, body).await, status, "{id}");
    }

    let lines = child.drain().await;
    for (id, status, outcome) in [
        ("whole", 200, "completed"),
        ("stream", 200, "completed"),
        ("unknown", 404, "unknown_model"),
    ] {
        let line = access(&lines, id);
        assert_eq!(
            (line["status"].as_u64(), line["outcome"].as_str()),
            (Some(status), Some(outcome)),
            "{line}"
        );
    }
    assert_eq!(access(&lines, "invalid")["status"], 400);
    assert!(
        lines.iter().all(|line| line.get("span").is_none()),
        "spans are for level debug"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_before_the_reply_has_a_line_without_status() {
    let engines = rig::engines(1, 0.01).await;
    let (_folder, file) = file(&rig::yaml(&engines, "", ""));
    let (child, address) = Child::serve(&file);
    let mut client = TcpStream::connect(address).await.expect("open");
    client.write_all(&chat("left", CHAT)).await.expect("sent");
    while engines[0].stats().requests == 0 {
        time::sleep(Duration::from_millis(5)).await;
    }
    drop(client);
    while engines[0].stats().aborted == 0 {
        time::sleep(Duration::from_millis(5)).await;
    }
    let lines = child.drain().await;
    let line = access(&lines, "left");
    assert_eq!(line["outcome"], "cancelled");
    assert!(line.get("status").is_none(), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_span_tells_model_endpoint_and_status_at_level_debug() {
    let engines = rig::engines(1, 100.0).await;
    let (_folder, file) = file(&rig::yaml(&engines, "", "log: {level: debug}\n"));
    let (child, address) = Child::serve(&file);
    assert_eq!(sent(address, "looked-at", CHAT).await, 200);

    let lines = child.drain().await;
    let closed = |line: &&Value| line["message"] == "close" && line["span"]["name"] == "request";
    let span = &lines.iter().find(closed).expect("a span")["span"];
    assert_eq!(span["id"], "looked-at");
    assert_eq!(span["key"], "all");
    assert_eq!(span["model"], "m");
    assert_eq!(span["endpoint"], "e0");
    assert_eq!(span["status"], 200);
}
