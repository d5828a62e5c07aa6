//! An engine that answers at once, by text and by tokens, with a token for each event.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, sleep};
use std::time::Duration;

use crate::replies::Replies;

/// Between two tokens of a stream, so that each is an event of its own on the way.
const TOKEN_EVERY: Duration = Duration::from_millis(4);

/// Starts it; it lives as long as the process.
///
/// # Errors
/// No port is to be had.
pub(crate) fn start(replies: Replies) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (address, replies) = (listener.local_addr()?, Arc::new(replies));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let replies = Arc::clone(&replies);
            thread::spawn(move || serve(stream, &replies));
        }
    });
    Ok(address)
}

/// Until the other side closes.
fn serve(mut stream: TcpStream, replies: &Replies) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = Vec::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..read]);
        if let Some((path, body)) = whole(&request) {
            let streams = memmem(body, b"\"stream\":true");
            answer(&mut stream, replies, &path, streams)?;
            request.clear();
        }
    }
}

fn answer(stream: &mut TcpStream, replies: &Replies, path: &str, streams: bool) -> io::Result<()> {
    let reply = match path {
        "/v1/chat/completions" => &replies.by_text,
        "/inference/v1/generate" => &replies.by_tokens,
        path => return stream.write_all(&aside(path)),
    };
    if !streams {
        return stream.write_all(&with_head("200 OK", &reply.whole));
    }
    stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
    )?;
    for event in &reply.events {
        stream.write_all(event)?;
        sleep(TOKEN_EVERY);
    }
    stream.write_all(b"0\r\n\r\n")
}

/// Health, version, models, metrics.
fn aside(path: &str) -> Vec<u8> {
    match path {
        "/health" => with_head("200 OK", ""),
        "/version" => with_head("200 OK", r#"{"version":"0.32.0"}"#),
        "/v1/models" => with_head(
            "200 OK",
            r#"{"object":"list","data":[{"id":"text","object":"model","owned_by":"vllm"},{"id":"tokens","object":"model","owned_by":"vllm"}]}"#,
        ),
        "/metrics" => with_head(
            "200 OK",
            "vllm:num_requests_running 0.0\nvllm:num_requests_waiting 0.0\n",
        ),
        _ => with_head("404 Not Found", r#"{"detail":"Not Found"}"#),
    }
}

fn with_head(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Path and body of a request that is all there.
fn whole(request: &[u8]) -> Option<(String, &[u8])> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(request).ok()? else {
        return None;
    };
    let header = head
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let wanted = header
        .and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok())
        .unwrap_or(0);
    let body = &request[length..];
    (body.len() >= wanted).then(|| (head.path.unwrap_or_default().to_owned(), body))
}

/// Looks at the members around the prompt only: the text of a prompt cannot hold an unescaped quote.
fn memmem(body: &[u8], wanted: &[u8]) -> bool {
    body.windows(wanted.len()).any(|window| window == wanted)
}
