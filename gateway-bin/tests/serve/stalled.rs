//! A client that stops reading does not hold its place for ever.

use std::{net::SocketAddr, time::Duration};

use gateway_bin::Options;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
    time,
};

use crate::{
    rig::{self, KEY},
    wire::request,
};

const STREAM: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"go"}]}"#;

/// An engine whose streams never end. Tells each end of one.
async fn endless_engine() -> (SocketAddr, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (tell, ended) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tell = tell.clone();
            tokio::spawn(async move {
                if answer(stream).await == Some(()) {
                    tell.send(()).await.unwrap_or_default();
                }
            });
        }
    });
    (address, ended)
}

/// Answers one request: a generation without end, anything else with nothing. `Some` when a generation was hung up on.
async fn answer(mut stream: TcpStream) -> Option<()> {
    let mut head = vec![0; 4_096];
    let count = stream.read(&mut head).await.ok()?;
    if !head[..count].starts_with(b"POST ") {
        let empty = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(empty).await.ok()?;
        return None;
    }
    let begin = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    stream.write_all(begin).await.ok()?;
    let event = format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n",
        "x".repeat(64 << 10)
    );
    while stream.write_all(event.as_bytes()).await.is_ok() {}
    Some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_is_cut_and_frees_the_engine() {
    let (engine, mut ended) = endless_engine().await;
    let more = format!(
        "  - {{name: endless, url: \"http://{engine}\", kind: vllm, models: [m]}}\nlimits: {{write_timeout: 200ms}}\n"
    );
    let gateway = rig::start(&rig::yaml(&[], "", &more), Options::default()).await;
    let in_flight = || {
        let fleet = gateway.router().fleet();
        fleet.endpoints()[0].state().in_flight().requests
    };

    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("small");
    let mut client = socket.connect(gateway.addr()).await.expect("open");
    let headers = [("x-api-key", KEY)];
    let raw = request("POST", "/v1/chat/completions", &headers, STREAM.as_bytes());
    client.write_all(&raw).await.expect("sent");
    let mut first = [0; 12];
    client.read_exact(&mut first).await.expect("it begins");
    assert_eq!(&first, b"HTTP/1.1 200");

    ended.recv().await.expect("the engine is let go");
    let cancelled =
        "gateway_endpoint_requests_total{endpoint=\"endless\",outcome=\"cancelled\"} 1\n";
    while in_flight() > 0 || !gateway.metrics().contains(cancelled) {
        time::sleep(Duration::from_millis(5)).await;
    }
    let page = gateway.metrics();
    assert!(
        page.contains("gateway_connections_stalled_total 1\n"),
        "{page}"
    );
    drop(client);
}
