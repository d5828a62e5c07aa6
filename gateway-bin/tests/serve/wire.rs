//! A client that can misbehave.

use std::{collections::BTreeMap, net::SocketAddr};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A reply, read to the end of its connection.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn parse(raw: &[u8]) -> Self {
        let text = String::from_utf8_lossy(raw);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1)?.parse().ok())
            .unwrap_or(0);
        let pair = |line: &str| {
            line.split_once(": ")
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        };
        Self {
            status,
            headers: lines.filter_map(pair).collect(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The error's `code` and `param`.
    pub(crate) fn error(&self) -> (String, Option<String>) {
        let body = self.json();
        let error = &body["error"];
        assert!(
            error["message"].is_string() && error["type"].is_string(),
            "{body}"
        );
        let word = |name: &str| error[name].as_str().map(str::to_owned);
        (word("code").unwrap_or_default(), word("param"))
    }
}

/// Sends `raw` and reads until the connection ends. What cannot be sent because the other side has hung up is let go.
pub(crate) async fn exchange(address: SocketAddr, raw: &[u8]) -> Reply {
    let stream = TcpStream::connect(address)
        .await
        .expect("the gateway listens");
    let (mut read, mut write) = stream.into_split();
    let mut answer = Vec::new();
    let send = async {
        write.write_all(raw).await.unwrap_or_default();
        write
    };
    let receive = async { read.read_to_end(&mut answer).await.unwrap_or_default() };
    let (_open, _) = tokio::join!(send, receive);
    Reply::parse(&answer)
}

/// A request's bytes; the connection is to be closed after it.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut raw = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
    for (name, value) in headers {
        raw.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        raw.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    raw.push_str("\r\n");
    [raw.as_bytes(), body].concat()
}

pub(crate) async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Reply {
    exchange(address, &request("GET", path, headers, b"")).await
}
