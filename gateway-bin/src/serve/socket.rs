//! A client's socket under the HTTP server.
//!
//! The server refuses heads by itself: one too large with a bare 431, one malformed with a bare 400, one too slow with no
//! word at all. Callers expect errors in OpenAI's shape, so the bare replies are replaced as they are written, and the
//! socket of a slow caller is kept for a last word. Nor does it mind a client that stops reading, which would hold its place at
//! an engine for ever: here that ends the connection.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use gateway_proto::error::ApiError;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::stall::Stall;
use crate::metrics::{Metrics, Rejection};

/// Longer than any bare refusal of the server, in bytes.
const BARE_BYTES_AT_MOST: usize = 256;

/// What is known of a connection beside its server.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// Bytes have come since the last request was complete.
    heard: AtomicBool,
    left: Mutex<Option<TcpStream>>,
}

impl Talk {
    /// A request's head is complete.
    pub(super) fn begin(&self) {
        self.heard.store(false, Relaxed);
    }

    /// Tells a caller who began a head and did not end it in time. Call when the server has dropped its socket.
    pub(super) fn end_slow(&self, metrics: &Metrics) {
        let stream = self
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(stream) = stream.filter(|_| self.heard.load(Relaxed)) {
            metrics.door.reject(Rejection::Head);
            let error = ApiError::new(408, "The request's headers took too long to arrive.")
                .with_code("request_timeout");
            // A caller this slow that does not take these bytes at once either goes without.
            drop(stream.try_write(&refusal(b"408 Request Timeout", &error)));
        }
    }
}

/// A stream for the server.
#[derive(Debug)]
pub(super) struct Socket {
    stream: Option<TokioIo<TcpStream>>,
    talk: Arc<Talk>,
    metrics: Arc<Metrics>,
    stall: Stall,
    /// What is still to be written in place of a bare refusal.
    instead: Vec<u8>,
}

impl Socket {
    /// A socket that is given up when writes are pending for `patience`.
    pub(super) fn new(
        stream: TcpStream,
        talk: Arc<Talk>,
        metrics: Arc<Metrics>,
        patience: Duration,
    ) -> Self {
        Self {
            stream: Some(TokioIo::new(stream)),
            talk,
            metrics,
            stall: Stall::new(patience),
            instead: Vec::new(),
        }
    }

    fn stream(&mut self) -> Pin<&mut TokioIo<TcpStream>> {
        Pin::new(self.stream.as_mut().expect("there until it is dropped"))
    }

    /// What a write came to, or an error where writes have been pending for too long.
    fn watched(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stall.end();
            return written;
        }
        ready!(self.stall.poll_over(cx));
        self.metrics.door.stalled();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Writes `bare` in its long form; the server hears that its own bytes are out once all of the others are.
    fn write_instead(&mut self, cx: &mut Context<'_>, bare: &[u8]) -> Poll<io::Result<usize>> {
        if self.instead.is_empty() {
            self.metrics.door.reject(Rejection::Head);
            self.instead = refusal(&bare[9..status_end(bare)], &told(bare));
        }
        while !self.instead.is_empty() {
            let rest = std::mem::take(&mut self.instead);
            let written = self.stream().poll_write(cx, &rest);
            let written = self.watched(cx, written);
            let count = if let Poll::Ready(Ok(count)) = written {
                count
            } else {
                0
            };
            self.instead = rest[count..].to_vec();
            if ready!(written)? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(bare.len()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let stream = self.stream.take().map(TokioIo::into_inner);
        *self
            .talk
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = stream;
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.stream().poll_read(cx, buf))?;
        self.talk.heard.store(true, Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl Write for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if is_bare_refusal(buf) {
            self.write_instead(cx, buf)
        } else {
            let written = self.stream().poll_write(cx, buf);
            self.watched(cx, written)
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match bufs {
            [only] if is_bare_refusal(only) => self.write_instead(cx, only),
            _ => {
                let written = self.stream().poll_write_vectored(cx, bufs);
                self.watched(cx, written)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(Write::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

/// Whether the server speaks for itself: our own refusals have a body and an id.
fn is_bare_refusal(buf: &[u8]) -> bool {
    buf.starts_with(b"HTTP/1.1 4")
        && buf.len() <= BARE_BYTES_AT_MOST
        && buf.ends_with(b"\r\n\r\n")
        && contains(buf, b"content-length: 0\r\n")
        && !contains(buf, b"x-request-id")
}

fn contains(buf: &[u8], wanted: &[u8]) -> bool {
    buf.windows(wanted.len())
        .any(|part| part.eq_ignore_ascii_case(wanted))
}

fn status_end(head: &[u8]) -> usize {
    head.iter()
        .position(|&byte| byte == b'\r')
        .unwrap_or(head.len())
}

fn told(bare: &[u8]) -> ApiError {
    match &bare[9..12] {
        b"431" => ApiError::new(431, "The request's headers are too many or too large.")
            .with_code("headers_too_large"),
        b"414" => ApiError::new(414, "The request's URL is too long.").with_code("url_too_long"),
        _ => ApiError::new(400, "The request is not valid HTTP.").with_code("invalid_http"),
    }
}

fn refusal(status: &[u8], error: &ApiError) -> Vec<u8> {
    let body = error.to_json(None);
    let head = format!(
        "content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [b"HTTP/1.1 ", status, b"\r\n", head.as_bytes(), &body].concat()
}
