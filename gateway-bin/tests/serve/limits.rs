//! Sizes and times at the front door.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time,
};

use crate::{
    rig::{CHAT, KEY, Plan, Rig},
    wire::{Reply, exchange, get},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_says_it_is_too_large_is_refused_unread() {
    let rig = Rig::start(Plan::default()).await;
    let raw = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\nx-api-key: {KEY}\r\ncontent-length: 104857600\r\n\r\n{{"
    );
    let reply = exchange(rig.addr(), raw.as_bytes()).await;
    assert_eq!(
        (reply.status, reply.error().0.as_str()),
        (413, "request_too_large")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_a_hundred_megabytes_is_refused_and_not_kept() {
    let rig = Rig::start(Plan {
        more: "limits: {request_bytes: 1000000}\n",
        ..Plan::default()
    })
    .await;
    let mut stream = TcpStream::connect(rig.addr()).await.expect("open");
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\nx-api-key: {KEY}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    let (mut read, mut write) = stream.into_split();
    let send = async {
        for _ in 0..1_600 {
            if write.write_all(&chunk).await.is_err() {
                break;
            }
        }
    };
    let mut answer = vec![0; 4_096];
    let (count, ()) = tokio::join!(read.read(&mut answer), send);
    let reply = Reply::parse(&answer[..count.expect("an answer before the reset")]);
    assert_eq!(
        (reply.status, reply.error().0.as_str()),
        (413, "request_too_large")
    );
    assert_eq!(rig.chat(&[], CHAT).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_headers_end_with_a_word() {
    let rig = Rig::start(Plan {
        more: "limits: {header_timeout: 200ms}\n",
        ..Plan::default()
    })
    .await;
    let mut stream = TcpStream::connect(rig.addr()).await.expect("open");
    let mut answer = Vec::new();
    let (mut read, mut write) = stream.split();
    let drip = async {
        for byte in b"GET /health HTTP/1.1\r\nx-slow: ".iter().cycle() {
            if write.write_all(&[*byte]).await.is_err() {
                break;
            }
            time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        read = read.read_to_end(&mut answer) => drop(read),
        () = drip => {}
    }
    let reply = Reply::parse(&answer);
    assert_eq!(
        (reply.status, reply.error().0.as_str()),
        (408, "request_timeout")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_ends_without_a_word() {
    let rig = Rig::start(Plan {
        more: "limits: {header_timeout: 100ms}\n",
        ..Plan::default()
    })
    .await;
    assert_eq!(exchange(rig.addr(), b"").await.status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_bodies_end_with_a_word() {
    let rig = Rig::start(Plan {
        more: "limits: {body_timeout: 100ms}\n",
        ..Plan::default()
    })
    .await;
    let raw = format!(
        "POST /v1/completions HTTP/1.1\r\nhost: t\r\nx-api-key: {KEY}\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{{"
    );
    let reply = exchange(rig.addr(), raw.as_bytes()).await;
    assert_eq!(
        (reply.status, reply.error().0.as_str()),
        (408, "request_timeout")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn header_floods_are_refused() {
    let rig = Rig::start(Plan::default()).await;
    let many: String = (0..500).map(|n| format!("x-{n}: 1\r\n")).collect();
    let long = format!("x-long: {}\r\n", "a".repeat(100_000));
    for flood in [many, long] {
        let reply = exchange(
            rig.addr(),
            format!("GET /health HTTP/1.1\r\nhost: t\r\n{flood}\r\n").as_bytes(),
        )
        .await;
        assert_eq!(
            (reply.status, reply.error().0.as_str()),
            (431, "headers_too_large")
        );
    }
    let reply = exchange(rig.addr(), b"\x16\x03\x01\x02\x00\x01 not http\r\n\r\n").await;
    assert_eq!(
        (reply.status, reply.error().0.as_str()),
        (400, "invalid_http")
    );
    let endless = format!("GET /{} HTTP/1.1\r\n", "a".repeat(100_000));
    assert!([414, 431].contains(&exchange(rig.addr(), endless.as_bytes()).await.status));
    assert_eq!(get(rig.addr(), "/health", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_bounded() {
    let rig = Rig::start(Plan {
        more: "limits: {connections: 2}\n",
        ..Plan::default()
    })
    .await;
    let (_first, _second) = (held(&rig).await, held(&rig).await);
    let reply = get(rig.addr(), "/health", &[]).await;
    assert_eq!(
        (reply.status, reply.error().0.as_str()),
        (503, "overloaded")
    );
}

/// A connection that the gateway is known to hold, for it has answered on it.
async fn held(rig: &Rig) -> TcpStream {
    let mut stream = TcpStream::connect(rig.addr()).await.expect("open");
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: t\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = [0; 1_024];
    assert!(stream.read(&mut answer).await.expect("answered") > 0);
    stream
}
