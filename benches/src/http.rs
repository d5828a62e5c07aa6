//! As much HTTP as a client needs that waits in a thread of its own.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context as _, Result, bail, ensure};

/// The bytes of a request; `line` is its method and path.
#[must_use]
pub fn request(line: &str, host: SocketAddr, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{line} HTTP/1.1\r\nhost: {host}\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        head += &format!(
            "content-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        );
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

/// One kept-alive connection. Every reply must have status 200 and come to its end.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    reply: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            reply: Vec::new(),
        })
    }

    /// Sends a request. The reply to the one before must have been read.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn ask(&mut self, request: &[u8]) -> Result<()> {
        self.reply.clear();
        Ok(self.stream.write_all(request)?)
    }

    /// Reads on until `is_there` says so of the reply's bytes so far, its head and transfer coding among them.
    ///
    /// # Errors
    /// The reply ends before.
    pub fn until(&mut self, is_there: impl Fn(&[u8]) -> bool) -> Result<()> {
        while !is_there(&self.reply) {
            if whole(&self.reply)?.is_some() {
                bail!("not in {}", String::from_utf8_lossy(&self.reply));
            }
            self.read()?;
        }
        Ok(())
    }

    /// Reads the rest of the reply; its body.
    ///
    /// # Errors
    /// An error, or a reply that is cut off.
    pub fn body(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(body) = whole(&self.reply)? {
                return Ok(body);
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> Result<()> {
        let mut buffer = [0; 64 << 10];
        let read = self.stream.read(&mut buffer)?;
        ensure!(
            read > 0,
            "closed early: {}",
            String::from_utf8_lossy(&self.reply)
        );
        self.reply.extend_from_slice(&buffer[..read]);
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_whole_when_its_body_is() {
        let head = "HTTP/1.1 200 OK\r\n";
        let plain = format!("{head}content-length: 3\r\n\r\nabc");
        let chunked =
            format!("{head}transfer-encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n");
        for reply in [plain, chunked] {
            let body = |end: usize| whole(&reply.as_bytes()[..end]).expect("sound");
            assert_eq!(body(reply.len()).as_deref(), Some(&b"abc"[..]));
            for end in 0..reply.len() {
                assert_eq!(body(end), None, "{reply:?} up to {end}");
            }
        }
        assert!(whole(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").is_err());
    }
}
