//! One connection, either side of it.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Dechunker, Framing, HttpFault, head};

/// Largest whole body read, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// Room made for each read, in bytes: a 20 KB request arrives in one.
const READ_SIZE: usize = 32 * 1024;

/// A TCP connection with the bytes that came early.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    inbound: Vec<u8>,
    body: Vec<u8>,
    closing: bool,
}

impl Wire {
    /// Wraps a connection and turns Nagle's algorithm off.
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            inbound: Vec::with_capacity(READ_SIZE),
            body: Vec::new(),
            closing: false,
        })
    }

    /// Dials.
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::new(TcpStream::connect(address).await?)
    }

    /// Writes all of `bytes`.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Whether the other side said that it closes after this message.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Reads the next head and what `read` makes of its start line; `None` when the other side
    /// closed in between messages.
    pub(crate) async fn head<T>(
        &mut self,
        read: fn(&[u8]) -> T,
    ) -> Result<Option<(T, Framing)>, HttpFault> {
        loop {
            if let Some(head) = head::parse(&self.inbound)? {
                let result = (read(head.start_line), head.framing);
                self.closing = head.close;
                let len = head.len;
                self.inbound.drain(..len);
                return Ok(Some(result));
            }
            let empty = self.inbound.is_empty();
            match self.fill().await {
                Err(HttpFault::Cut) if empty => return Ok(None),
                other => other?,
            }
        }
    }

    /// Reads a whole body.
    pub(crate) async fn body(&mut self, framing: Framing) -> Result<&[u8], HttpFault> {
        self.body.clear();
        match framing {
            Framing::Length(length) if length > MAX_BODY => {
                return Err(HttpFault::Malformed("body too long"));
            }
            Framing::Length(length) => {
                while self.inbound.len() < length {
                    self.fill().await?;
                }
                self.body.extend_from_slice(&self.inbound[..length]);
                self.inbound.drain(..length);
            }
            Framing::Chunked => {
                let mut dechunker = Dechunker::default();
                while !dechunker.is_done() {
                    self.feed(&mut dechunker).await?;
                }
            }
        }
        Ok(&self.body)
    }

    /// Begins a body that [`Wire::feed`] reads piece by piece.
    pub(crate) fn begin_body(&mut self) {
        self.body.clear();
    }

    /// Decodes what has come of a chunked body and returns what was not yet
    /// [consumed](Wire::consume) of it. Reads from the socket at most once, and only when there was
    /// nothing to decode.
    pub(crate) async fn feed(&mut self, dechunker: &mut Dechunker) -> Result<&[u8], HttpFault> {
        let mut used = dechunker.feed(&self.inbound, &mut self.body)?;
        if used == 0 && !dechunker.is_done() {
            self.fill().await?;
            used = dechunker.feed(&self.inbound, &mut self.body)?;
        }
        self.inbound.drain(..used);
        if self.body.len() > MAX_BODY {
            return Err(HttpFault::Malformed("body too long"));
        }
        Ok(&self.body)
    }

    /// Forgets the first `len` bytes of the body read so far.
    pub(crate) fn consume(&mut self, len: usize) {
        self.body.drain(..len);
    }

    async fn fill(&mut self) -> Result<(), HttpFault> {
        self.inbound.reserve(READ_SIZE);
        match self.stream.read_buf(&mut self.inbound).await? {
            0 => Err(HttpFault::Cut),
            _ => Ok(()),
        }
    }
}
