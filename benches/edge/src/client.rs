//! A client that reads every reply to its end and checks what it says.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The key of the run.
pub(crate) const KEY: &str = "bench-key-of-the-edge";

/// One kept-alive connection that asks the same again and again.
pub(crate) struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    reply: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub(crate) fn connect(gateway: SocketAddr, body: &[u8]) -> Result<Self> {
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {gateway}\r\nauthorization: Bearer {KEY}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let stream = TcpStream::connect(gateway)?;
        stream.set_nodelay(true)?;
        let request = [head.as_bytes(), body].concat();
        Ok(Self {
            stream,
            request,
            reply: Vec::new(),
        })
    }

    /// Asks once, reads all, and compares the text.
    ///
    /// # Errors
    /// An error, a cut-off reply, or another text.
    pub(crate) fn ask(&mut self, stream: bool, text: &str) -> Result<()> {
        self.stream.write_all(&self.request)?;
        self.reply.clear();
        let mut buffer = [0; 64 << 10];
        let body = loop {
            let read = self.stream.read(&mut buffer)?;
            ensure!(
                read > 0,
                "closed early: {}",
                String::from_utf8_lossy(&self.reply)
            );
            self.reply.extend_from_slice(&buffer[..read]);
            if let Some(body) = whole(&self.reply)? {
                break body;
            }
        };
        let said = if stream {
            streamed(&body)?
        } else {
            content(&serde_json::from_slice(&body)?, "message")
        };
        ensure!(said == text, "another text: {said:?} for {text:?}");
        Ok(())
    }
}

/// Whether the gateway says that it is ready.
pub(crate) fn is_ready(gateway: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(gateway)?;
        stream.write_all(b"GET /ready HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply)?;
        Ok(reply.starts_with(b"HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

/// The body, once all of it is there.
fn whole(reply: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(reply)? else {
        return Ok(None);
    };
    let rest = &reply[length..];
    ensure!(head.code == Some(200), "{}", String::from_utf8_lossy(reply));
    let header = |name: &str| {
        head.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
    };
    if let Some(length) = header("content-length") {
        let length: usize = std::str::from_utf8(length.value)?.parse()?;
        return Ok((rest.len() >= length).then(|| rest.to_vec()));
    }
    if !rest.ends_with(b"0\r\n\r\n") {
        return Ok(None);
    }
    unchunked(rest).map(Some)
}

fn unchunked(mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let httparse::Status::Complete((head, length)) = httparse::parse_chunk_size(rest)
        .ok()
        .context("a chunk's size")?
    {
        let end = head + usize::try_from(length)?;
        body.extend_from_slice(rest.get(head..end).context("a cut chunk")?);
        rest = rest.get(end + 2..).context("a chunk without an end")?;
        if length == 0 {
            break;
        }
    }
    Ok(body)
}

fn streamed(body: &[u8]) -> Result<String> {
    let (mut text, mut done) = (String::new(), false);
    for event in std::str::from_utf8(body)?
        .split("\n\n")
        .filter(|event| !event.is_empty())
    {
        let data = event
            .strip_prefix("data: ")
            .context("an event without data")?;
        if data == "[DONE]" {
            done = true;
        } else {
            text += &content(&serde_json::from_str(data)?, "delta");
        }
    }
    ensure!(done, "no [DONE]");
    Ok(text)
}

fn content(object: &Value, member: &str) -> String {
    object["choices"][0][member]["content"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
