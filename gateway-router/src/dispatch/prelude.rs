//! The beginning of an engine's stream, up to the first of what it generates.
//!
//! Many engines open a stream with an event that holds a role and nothing else, and fail behind it. Until something
//! generated is there nothing has been shown, and another endpoint may be asked.

use std::{future::Future, time::Duration};

use bytes::{Bytes, BytesMut};
use gateway_proto::sse::{Limits, Relay, RelayStep, Terminal};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use crate::{BoxBody, ErrorKind, Retry, RouteError, SizeLimits, engine::status};

/// How long events without content are held back, from the first of them.
const HELD_AT_MOST: Duration = Duration::from_secs(30);

/// How much of them, in bytes.
const HELD_BYTES: usize = 64 << 10;

/// A stream of which nothing was shown yet.
pub(super) struct Prelude {
    /// Events before the first with content.
    pub(super) held: Bytes,
    /// What came with the first content.
    pub(super) first: RelayStep,
    pub(super) relay: Relay,
    pub(super) rest: BoxBody,
}

impl Prelude {
    /// Reads until there is something to show. An engine that fails before that, also under a polite 200, may be tried
    /// elsewhere.
    pub(super) async fn read(limits: SizeLimits, mut rest: BoxBody) -> Result<Self, RouteError> {
        let mut relay = Relay::new(Limits {
            event_bytes: limits.event_bytes,
        });
        let (mut held, mut until) = (BytesMut::new(), None);
        let first = loop {
            let frame = match within(until, rest.frame()).await {
                Some(frame) => frame,
                None => break nothing_new(),
            };
            let step = match frame {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(chunk) => relay.push(chunk),
                    Err(_trailers) => continue,
                },
                Some(Err(_)) => return Err(broken("The engine's stream broke off.")),
                None => relay.finish(),
            };
            if is_shown(&step, &relay) || held.len() + step.forward.len() > HELD_BYTES {
                break step;
            }
            if let Some(terminal) = step.terminal {
                return Err(nothing_but(terminal));
            }
            if !step.forward.is_empty() {
                until = until.or_else(|| Some(Instant::now() + HELD_AT_MOST));
                held.extend_from_slice(&step.forward);
            }
        };
        let held = held.freeze();
        Ok(Self {
            held,
            first,
            relay,
            rest,
        })
    }
}

/// `None` when it takes too long.
async fn within<F: Future>(until: Option<Instant>, future: F) -> Option<F::Output> {
    match until {
        Some(until) => timeout_at(until, future).await.ok(),
        None => Some(future.await),
    }
}

fn nothing_new() -> RelayStep {
    RelayStep {
        forward: Bytes::new(),
        first_content: false,
        terminal: None,
    }
}

/// Whether the caller is to see it: something generated, or the good end of an answer in which nothing was.
fn is_shown(step: &RelayStep, relay: &Relay) -> bool {
    relay.has_content() || relay.is_finished() || step.terminal == Some(Terminal::Done)
}

/// The error of a stream that ended before anything could be shown.
fn nothing_but(terminal: Terminal) -> RouteError {
    match terminal {
        Terminal::EngineError(fault) => status::of_fault(fault.error),
        Terminal::Aborted => broken("The engine gave the request up."),
        _ => broken("The engine's stream ended before it began."),
    }
}

pub(super) fn broken(message: &str) -> RouteError {
    RouteError::engine(ErrorKind::Broken, Retry::OtherEndpoint, message)
}
