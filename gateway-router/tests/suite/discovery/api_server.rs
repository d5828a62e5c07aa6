//! An API server that answers one request at a time, as the test says.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::within;

pub(super) struct ApiServer {
    listener: TcpListener,
}

/// A request that waits for its answer.
pub(super) struct Asked {
    /// Path and query.
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    socket: TcpStream,
}

impl ApiServer {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self { listener }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.listener.local_addr().expect("bound")
    }

    /// The next request, on a connection of its own.
    pub(super) async fn next(&self) -> Asked {
        let (mut socket, _) = within(self.listener.accept()).await.expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within(socket.read_u8()).await.expect("a head"));
        }
        let head = String::from_utf8(head).expect("text");
        let path = head.split(' ').nth(1).expect("a path").to_owned();
        let mut lines = head.lines();
        let authorization = lines.find_map(|line| line.strip_prefix("authorization: "));
        Asked {
            path,
            authorization: authorization.map(str::to_owned),
            socket,
        }
    }
}

impl Asked {
    /// Answers whole and closes.
    pub(super) async fn answer(mut self, status: u16, body: &str) {
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        within(self.socket.write_all(head.as_bytes()))
            .await
            .expect("sent");
    }

    /// Begins a watch.
    pub(super) async fn stream(mut self) -> Watch {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        within(self.socket.write_all(head.as_bytes()))
            .await
            .expect("sent");
        Watch(self.socket)
    }
}

/// A watch under way; dropped, it breaks off.
pub(super) struct Watch(TcpStream);

impl Watch {
    pub(super) async fn send(&mut self, bytes: &str) {
        let chunk = format!("{:x}\r\n{bytes}\r\n", bytes.len());
        within(self.0.write_all(chunk.as_bytes()))
            .await
            .expect("sent");
    }

    pub(super) async fn event(&mut self, kind: &str, object: &str) {
        self.send(&format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n"))
            .await;
    }

    /// Ends it as a server does whose time for it is up.
    pub(super) async fn end(mut self) {
        within(self.0.write_all(b"0\r\n\r\n")).await.expect("sent");
    }
}
