//! As much HTTP as a client of event streams needs.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A reply with its chunks joined.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Whether it came to its proper end.
    pub(crate) is_whole: bool,
}

/// Sends a request and reads to the end of the connection; `on_piece` is told of each piece as it comes.
pub(crate) async fn exchange(
    address: SocketAddr,
    head: &str,
    body: &str,
    mut on_piece: impl FnMut(&[u8]),
) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let request =
        format!("{head}host: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await?;
    let (mut raw, mut piece) = (Vec::new(), [0; 4_096]);
    loop {
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            break;
        }
        on_piece(&piece[..read]);
        raw.extend_from_slice(&piece[..read]);
    }
    Ok(parse(&raw))
}

fn parse(raw: &[u8]) -> Reply {
    let end = raw.windows(4).position(|at| at == b"\r\n\r\n");
    let (head, rest) = raw.split_at(end.map_or(raw.len(), |at| at + 4));
    let head = String::from_utf8_lossy(head).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let (body, is_whole) = if head.contains("transfer-encoding: chunked") {
        joined(rest)
    } else {
        (rest.to_vec(), end.is_some())
    };
    Reply {
        status: status.unwrap_or(0),
        body: String::from_utf8_lossy(&body).into_owned(),
        is_whole,
    }
}

fn joined(mut chunked: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(line) = chunked.windows(2).position(|at| at == b"\r\n") else {
            return (body, false);
        };
        let size = std::str::from_utf8(&chunked[..line]).unwrap_or_default();
        let Ok(size) = usize::from_str_radix(size, 16) else {
            return (body, false);
        };
        let from = line + 2;
        let Some(chunk) = chunked.get(from..from + size) else {
            return (body, false);
        };
        if size == 0 {
            return (body, true);
        }
        body.extend_from_slice(chunk);
        chunked = chunked.get(from + size + 2..).unwrap_or_default();
    }
}
