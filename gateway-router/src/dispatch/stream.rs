//! A stream on its way to the caller: whole events as they came, watched for the ways engines fail under a polite 200.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use gateway_proto::sse::{Relay, RelayStep, Terminal};
use http_body::Body;

use super::{
    farewell::farewell,
    flight::Flight,
    prelude::Prelude,
    silence::{Patience, Silence},
};
use crate::{BoxBody, ErrorKind, Retry, RouteError, engine::status};

/// The stream with its guard. Dropped before the end, it closes the engine's connection and counts as cancelled.
#[derive(Debug)]
pub(super) struct StreamBody {
    /// Bytes that go out before the engine is asked for more.
    ready: Option<Bytes>,
    /// The error event that ends a broken stream.
    farewell: Option<Bytes>,
    /// `None` once the stream is over.
    engine: Option<BoxBody>,
    relay: Relay,
    flight: Option<Flight>,
    silence: Silence,
    /// Events since the first with something generated in it: about as many as tokens.
    events: u32,
}

impl StreamBody {
    pub(super) fn new(prelude: Prelude, flight: Flight, patience: Patience) -> Self {
        let Prelude {
            held,
            first,
            relay,
            rest,
        } = prelude;
        let silence = Silence::begin(flight.now(), patience);
        let mut stream = Self {
            ready: None,
            farewell: None,
            engine: Some(rest),
            relay,
            flight: Some(flight),
            silence,
            events: 0,
        };
        // The first bytes end the wait for the reply; they are no gap between chunks.
        let first = stream.accept(first);
        stream.ready = joined(held, first);
        stream
    }

    pub(super) fn is_over(&self) -> bool {
        self.ready.is_none() && self.farewell.is_none() && self.engine.is_none()
    }

    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(bytes) = self.ready.take() {
            return Poll::Ready(Some(bytes));
        }
        while let Some(engine) = &mut self.engine {
            let step = match Pin::new(engine).poll_frame(cx) {
                Poll::Pending if self.patience_ended(cx) => break,
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(chunk) => self.relay.push(chunk),
                    Err(_trailers) => continue,
                },
                Poll::Ready(Some(Err(_)) | None) => {
                    self.engine = None;
                    self.relay.finish()
                }
            };
            if let Some(bytes) = self.take(step) {
                return Poll::Ready(Some(bytes));
            }
        }
        Poll::Ready(self.farewell.take())
    }

    /// Takes in one step; gives what is to be forwarded.
    fn take(&mut self, step: RelayStep) -> Option<Bytes> {
        if let Some(flight) = &mut self.flight
            && !step.forward.is_empty()
        {
            self.silence.broken(flight);
        }
        self.accept(step)
    }

    fn accept(&mut self, step: RelayStep) -> Option<Bytes> {
        if step.first_content
            && let Some(flight) = &mut self.flight
        {
            flight.first_token(cached_tokens(&self.relay));
        }
        if self.relay.has_content() {
            self.events = self.events.saturating_add(events(&step.forward));
        }
        if let Some(terminal) = step.terminal {
            self.end(terminal);
        }
        Some(step.forward).filter(|bytes| !bytes.is_empty())
    }

    fn end(&mut self, terminal: Terminal) {
        match terminal {
            Terminal::Done => self.complete(),
            // Some engines close without `[DONE]`; with a finish reason seen the reply is whole all the same.
            Terminal::Truncated {
                inside_event: false,
            } if self.relay.is_finished() => self.complete(),
            Terminal::EngineError(fault) => self.fail(&status::of_fault(fault.error)),
            Terminal::Aborted => {
                self.fail_as(ErrorKind::EngineFailed, "The engine gave the request up.");
            }
            Terminal::Oversized { limit_bytes } => {
                let message = format!("The engine sent an event of more than {limit_bytes} bytes.");
                self.fail_as(ErrorKind::Broken, message);
            }
            Terminal::Truncated { .. } => {
                self.fail_as(ErrorKind::Broken, "The engine's stream broke off.");
            }
        }
    }

    fn complete(&mut self) {
        let usage = self.relay.usage();
        if let Some(mut flight) = self.flight.take() {
            flight.complete(usage, Some(self.events));
        }
        // The end of the body often comes apart from `[DONE]`; a connection read to its end serves again.
        self.silence.wait_for_end();
    }

    fn fail_as(&mut self, kind: ErrorKind, message: impl Into<String>) {
        self.fail(&RouteError::engine(kind, Retry::Never, message));
    }

    fn fail(&mut self, error: &RouteError) {
        let usage = self.relay.usage();
        if let Some(mut flight) = self.flight.take() {
            let id = flight.report.request_id.clone();
            let id = Some(&*id).filter(|id| !id.is_empty());
            self.farewell = Some(farewell(flight.report.api, error.to_api(), id));
            flight.break_off(error, usage);
        }
        self.engine = None;
    }

    /// Whether the silence, or the stream as a whole, has lasted too long; the stream is then over.
    fn patience_ended(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(flight) = &self.flight else {
            let ended = self.silence.has_waited(cx);
            if ended {
                self.engine = None;
            }
            return ended;
        };
        let overdue = self.silence.overdue(cx, flight);
        if let Some(error) = &overdue {
            self.fail(error);
        }
        overdue.is_some()
    }
}

/// What was held back, and the first that is to be shown.
fn joined(held: Bytes, first: Option<Bytes>) -> Option<Bytes> {
    match first {
        Some(first) if held.is_empty() => Some(first),
        Some(first) => Some([held, first].concat().into()),
        None => Some(held).filter(|held| !held.is_empty()),
    }
}

/// What the engine has said of its cache so far; most say so at the end only.
fn cached_tokens(relay: &Relay) -> Option<u32> {
    let cached = relay.usage()?.cached_tokens?;
    u32::try_from(cached).ok()
}

/// Events in `bytes`, which are whole ones, the mark of the end left out.
fn events(bytes: &[u8]) -> u32 {
    let is_event = |line: &&[u8]| {
        line.strip_prefix(b"data:")
            .is_some_and(|data| data.trim_ascii() != b"[DONE]")
    };
    let count = bytes.split(|byte| *byte == b'\n').filter(is_event).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}
