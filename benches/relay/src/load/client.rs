//! One kept-alive client connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use memchr::memmem;

use super::check::{self, ReplyFault, StreamCheck};
use crate::clock::Clock;
use crate::http::{Dechunker, Framing, HttpFault, Wire};
use crate::stencil::read_digits;

/// Dials when it must, keeps the connection while it can, never retries.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    wire: Option<Wire>,
}

/// What a stream showed, in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct StreamTimes {
    /// From the request to the first content chunk.
    pub(super) first_chunk: u64,
    /// Of each content chunk, from the engine's write to its arrival.
    pub(super) transits: Vec<u64>,
}

impl Client {
    /// A client of `address`, not yet connected.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            wire: None,
        }
    }

    /// A client that has dialled already, so that its first request is not timed with it. When it
    /// was refused, the first request dials again and counts as bad if that fails too.
    pub(super) async fn connected(address: SocketAddr) -> Self {
        Self {
            address,
            wire: Wire::connect(address).await.ok(),
        }
    }

    /// Sends `request` and checks the whole reply.
    ///
    /// # Errors
    /// What is wrong with the reply; the connection is then given up.
    pub(crate) async fn exchange(&mut self, request: &[u8], serial: u64) -> Result<(), ReplyFault> {
        let (mut wire, framing) = self.ask(request).await?;
        check::whole(wire.body(framing).await?, serial)?;
        self.keep(wire);
        Ok(())
    }

    /// [`Client::exchange`] on a connection of its own, bounded in time: for a target that may not
    /// be up yet.
    ///
    /// # Errors
    /// What is wrong with the reply, or that there was none in a second.
    pub(crate) async fn exchange_once(
        mut self,
        request: &[u8],
        serial: u64,
    ) -> Result<(), ReplyFault> {
        let limit = Duration::from_secs(1);
        let reply = tokio::time::timeout(limit, self.exchange(request, serial)).await;
        reply.unwrap_or_else(|_| Err(HttpFault::Io(io::ErrorKind::TimedOut.into()).into()))
    }

    /// Sends `request` and follows the streamed reply to its end.
    ///
    /// # Errors
    /// What is wrong with the reply; the connection is then given up.
    pub(super) async fn stream(
        &mut self,
        request: &[u8],
        serial: u64,
        clock: Clock,
    ) -> Result<StreamTimes, ReplyFault> {
        let sent = clock.nanos();
        let (mut wire, framing) = self.ask(request).await?;
        if framing != Framing::Chunked {
            return Err(HttpFault::Malformed("a stream that is not chunked").into());
        }
        let (mut check, mut times) = (StreamCheck::new(serial), StreamTimes::default());
        let mut dechunker = Dechunker::default();
        wire.begin_body();
        while !dechunker.is_done() {
            let body = wire.feed(&mut dechunker).await?;
            let used = read_events(body, &mut check, &mut times, clock.nanos())?;
            wire.consume(used);
            if times.first_chunk == 0 && !times.transits.is_empty() {
                times.first_chunk = clock.nanos() - sent;
            }
        }
        check.end()?;
        self.keep(wire);
        Ok(times)
    }

    /// Sends a request and reads the head of a reply with status 200.
    async fn ask(&mut self, request: &[u8]) -> Result<(Wire, Framing), ReplyFault> {
        let mut wire = match self.wire.take() {
            Some(wire) => wire,
            None => Wire::connect(self.address).await.map_err(HttpFault::Io)?,
        };
        wire.send(request).await.map_err(HttpFault::Io)?;
        let (status, framing) = wire.head(status).await?.ok_or(HttpFault::Cut)?;
        match status {
            200 => Ok((wire, framing)),
            other => Err(ReplyFault::Status(other)),
        }
    }

    fn keep(&mut self, wire: Wire) {
        self.wire = (!wire.is_closing()).then_some(wire);
    }
}

/// Takes the complete events off the front of `body` and returns their length.
fn read_events(
    body: &[u8],
    check: &mut StreamCheck,
    times: &mut StreamTimes,
    now_nanos: u64,
) -> Result<usize, ReplyFault> {
    let mut used = 0;
    while let Some(len) = memmem::find(&body[used..], b"\n\n") {
        if let Some(written) = check.event(&body[used..used + len])? {
            times.transits.push(now_nanos.saturating_sub(written));
        }
        used += len + 2;
    }
    if check.is_done() && used < body.len() {
        return Err(ReplyFault::End);
    }
    Ok(used)
}

/// The status code, 0 when there is none.
fn status(line: &[u8]) -> u16 {
    line.get(9..12)
        .and_then(read_digits)
        .and_then(|status| u16::try_from(status).ok())
        .unwrap_or(0)
}
