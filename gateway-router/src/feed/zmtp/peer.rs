//! One connection to one peer.

use std::{io, time::Duration};

use bytes::{Bytes, BytesMut};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    ZmtpError,
    frames::{self, Frame, MESSAGE_BYTES, MESSAGE_FRAMES},
};

const GREETING_BYTES: usize = 64;
const SIGNATURE_AT: (usize, usize) = (0, 9);
const VERSION: u8 = 3;
const MECHANISM_AT: std::ops::Range<usize> = 12..32;
/// Bytes read at once, at least.
const READ_BYTES: usize = 64 << 10;
/// The most bytes of a PING's context that are sent back.
const PING_CONTEXT_BYTES: usize = 16;

/// After so long without a byte, the peer's host is asked whether the connection still stands,
const SILENT_AT_MOST: Duration = Duration::from_secs(15);
/// and where it does not answer, again after this time,
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// and so often until it is taken to be gone: half a minute after its last word.
const ASKED_AT_MOST: u32 = 3;

/// What this end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::feed) enum Kind {
    /// Hears a publisher.
    Sub,
    /// Asks a router socket.
    Dealer,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Sub => "SUB",
            Self::Dealer => "DEALER",
        }
    }

    fn fits(self, peer: &[u8]) -> bool {
        match self {
            Self::Sub => matches!(peer, b"PUB" | b"XPUB"),
            Self::Dealer => matches!(peer, b"ROUTER" | b"REP" | b"DEALER"),
        }
    }
}

/// A connection after its handshake.
#[derive(Debug)]
pub(in crate::feed) struct Peer {
    stream: TcpStream,
    buffer: BytesMut,
    out: BytesMut,
    frames: Vec<Bytes>,
    frames_bytes: usize,
}

impl Peer {
    /// Connects and shakes hands, both within `patience`.
    pub(in crate::feed) async fn connect(
        host: &str,
        port: u16,
        kind: Kind,
        patience: Duration,
    ) -> Result<Self, ZmtpError> {
        let begin = async {
            let stream = TcpStream::connect((host, port)).await?;
            Self::shake(stream, kind).await
        };
        timeout(patience, begin)
            .await
            .unwrap_or(Err(ZmtpError::Timeout))
    }

    /// Shakes hands with a peer that connected, within `patience`.
    pub(in crate::feed) async fn accept(
        stream: TcpStream,
        kind: Kind,
        patience: Duration,
    ) -> Result<Self, ZmtpError> {
        timeout(patience, Self::shake(stream, kind))
            .await
            .unwrap_or(Err(ZmtpError::Timeout))
    }

    async fn shake(stream: TcpStream, kind: Kind) -> Result<Self, ZmtpError> {
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_keepalive(&keepalive())?;
        let mut peer = Self {
            stream,
            buffer: BytesMut::with_capacity(READ_BYTES),
            out: BytesMut::new(),
            frames: Vec::new(),
            frames_bytes: 0,
        };
        peer.out.extend_from_slice(&greeting());
        peer.flush().await?;
        while peer.buffer.len() < GREETING_BYTES {
            // Whatever does not begin like a peer will perhaps never send as much.
            check_signature(&peer.buffer)?;
            peer.fill().await?;
        }
        check_greeting(&peer.buffer.split_to(GREETING_BYTES))?;
        frames::put_command(&mut peer.out, "READY", &ready(kind));
        peer.flush().await?;
        peer.expect_ready(kind).await?;
        Ok(peer)
    }

    async fn expect_ready(&mut self, kind: Kind) -> Result<(), ZmtpError> {
        let frame = self.frame().await?;
        let (name, data) = frames::command(&frame.body)?;
        if !frame.is_command || name != b"READY" {
            return Err(ZmtpError::Garbled);
        }
        let socket = frames::property(data, "Socket-Type")?.ok_or(ZmtpError::Garbled)?;
        if kind.fits(socket) {
            Ok(())
        } else {
            let shown = &socket[..socket.len().min(16)];
            Err(ZmtpError::SocketType(
                String::from_utf8_lossy(shown).into_owned(),
            ))
        }
    }

    /// Asks a publisher for all messages whose first frame begins with `topic`.
    pub(in crate::feed) async fn subscribe(&mut self, topic: &[u8]) -> Result<(), ZmtpError> {
        let mut body = Vec::with_capacity(1 + topic.len());
        body.push(1);
        body.extend_from_slice(topic);
        self.send(&[&body]).await
    }

    /// Sends a message.
    pub(in crate::feed) async fn send(&mut self, frames: &[&[u8]]) -> Result<(), ZmtpError> {
        frames::put_message(&mut self.out, frames);
        self.flush().await
    }

    /// The next message. May be dropped while it waits: nothing is lost.
    pub(in crate::feed) async fn recv(&mut self) -> Result<Vec<Bytes>, ZmtpError> {
        loop {
            self.flush().await?;
            let frame = self.frame().await?;
            if frame.is_command {
                self.answer(&frame.body)?;
            } else if let Some(message) = self.add(frame)? {
                return Ok(message);
            }
        }
    }

    /// Collects the frames of a message.
    fn add(&mut self, frame: Frame) -> Result<Option<Vec<Bytes>>, ZmtpError> {
        self.frames_bytes += frame.body.len();
        self.frames.push(frame.body);
        if self.frames_bytes > MESSAGE_BYTES || self.frames.len() > MESSAGE_FRAMES {
            return Err(ZmtpError::TooLarge);
        }
        if frame.has_more {
            return Ok(None);
        }
        self.frames_bytes = 0;
        Ok(Some(std::mem::take(&mut self.frames)))
    }

    /// A PING wants a PONG with its context; other commands mean nothing here.
    fn answer(&mut self, body: &[u8]) -> Result<(), ZmtpError> {
        if let (b"PING", data) = frames::command(body)? {
            let context = data.get(2..).unwrap_or_default();
            let context = &context[..context.len().min(PING_CONTEXT_BYTES)];
            frames::put_command(&mut self.out, "PONG", context);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.stream)
    }

    async fn frame(&mut self) -> Result<Frame, ZmtpError> {
        loop {
            if let Some(frame) = frames::take(&mut self.buffer)? {
                return Ok(frame);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), ZmtpError> {
        self.buffer.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => Err(ZmtpError::Closed),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Err(ZmtpError::Closed),
            Err(error) => Err(error.into()),
        }
    }

    async fn flush(&mut self) -> Result<(), ZmtpError> {
        while !self.out.is_empty() {
            self.stream.write_buf(&mut self.out).await?;
        }
        Ok(())
    }
}

/// An engine without requests says nothing for hours, so only the other host's network stack can tell that it is there.
fn keepalive() -> TcpKeepalive {
    TcpKeepalive::new()
        .with_time(SILENT_AT_MOST)
        .with_interval(ASK_AGAIN_AFTER)
        .with_retries(ASKED_AT_MOST)
}

fn greeting() -> [u8; GREETING_BYTES] {
    let mut greeting = [0; GREETING_BYTES];
    greeting[SIGNATURE_AT.0] = 0xff;
    greeting[SIGNATURE_AT.1] = 0x7f;
    greeting[SIGNATURE_AT.1 + 1] = VERSION;
    greeting[MECHANISM_AT.start..MECHANISM_AT.start + 4].copy_from_slice(b"NULL");
    greeting
}

fn ready(kind: Kind) -> Vec<u8> {
    let mut data = Vec::new();
    for (name, value) in [("Socket-Type", kind.name()), ("Identity", "")] {
        data.push(u8::try_from(name.len()).expect("names of properties are short"));
        data.extend_from_slice(name.as_bytes());
        let length = u32::try_from(value.len()).expect("values of properties are short");
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(value.as_bytes());
    }
    data
}

fn check_signature(begun: &[u8]) -> Result<(), ZmtpError> {
    let is = |at: usize, byte: u8| begun.get(at).is_none_or(|&there| there == byte);
    let is_new = |at: usize| begun.get(at).is_none_or(|&there| there >= VERSION);
    if is(SIGNATURE_AT.0, 0xff) && is(SIGNATURE_AT.1, 0x7f) && is_new(SIGNATURE_AT.1 + 1) {
        Ok(())
    } else {
        Err(ZmtpError::NotZmtp)
    }
}

fn check_greeting(greeting: &[u8]) -> Result<(), ZmtpError> {
    check_signature(greeting)?;
    let mechanism = &greeting[MECHANISM_AT];
    let (name, filler) = mechanism.split_at(4);
    if name == b"NULL" && filler.iter().all(|&byte| byte == 0) {
        Ok(())
    } else {
        Err(ZmtpError::Mechanism)
    }
}
