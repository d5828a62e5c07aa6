//! One attempt on one endpoint, up to the first byte that may be shown to the caller.

use std::time::Duration;

use bytes::Bytes;
use gateway_core::{EndpointId, Explanation};
use gateway_proto::{
    openai::reply_facts,
    sse::{Limits, Relay, RelayStep, Terminal},
};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;

use super::{
    ReplyBody, RouteReply, RouteRequest,
    flight::Flight,
    headers, status,
    stream::{Patience, StreamBody},
};
use crate::{
    BoxBody, ErrorKind, Retry, RouteError,
    engine::{EngineCall, EngineReply},
    snapshot::Snapshot,
};

/// The largest error reply that is read, in bytes.
const ERROR_REPLY_BYTES: usize = 64 << 10;

/// A reply that has begun: nothing of it was shown yet, nothing can be retried any more.
pub(super) struct Begun {
    status: StatusCode,
    headers: HeaderMap,
    body: BegunBody,
}

enum BegunBody {
    Whole(Bytes),
    Stream {
        first: RelayStep,
        relay: Relay,
        rest: BoxBody,
        patience: Patience,
    },
}

impl Begun {
    pub(super) fn into_reply(
        self,
        flight: Flight,
        explanation: Option<Box<Explanation>>,
    ) -> RouteReply {
        let endpoint = flight
            .report
            .endpoint
            .clone()
            .expect("an attempt has an endpoint");
        let body = match self.body {
            BegunBody::Whole(whole) => ReplyBody::from(whole),
            BegunBody::Stream {
                first,
                relay,
                rest,
                patience,
            } => ReplyBody::stream(StreamBody::new(first, relay, rest, flight, patience)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        RouteReply {
            response,
            endpoint,
            explanation,
        }
    }
}

/// Sends the request to the endpoint `id` and waits until its reply has begun.
pub(super) async fn make(
    snapshot: &Snapshot,
    request: &RouteRequest,
    id: EndpointId,
    flight: &mut Flight,
) -> Result<Begun, RouteError> {
    let total = request
        .hints
        .total
        .map_or(snapshot.deadlines.total, |total| {
            total.min(snapshot.deadlines.total)
        });
    let left = total.saturating_sub(flight.age());
    let patience = if request.view.stream {
        left.min(snapshot.deadlines.first_byte)
    } else {
        left
    };
    let beginning = begin(snapshot, request, id, flight, total);
    timeout(patience, beginning)
        .await
        .unwrap_or_else(|_| Err(overdue(snapshot, left, patience)))
}

/// What a passed deadline means. Where time is left the engine was silent for too long. Where the request's own time is
/// up the engine is to blame only if it had as long as a first byte may take: a caller in a hurry, or the last of several
/// attempts, must not take an engine out.
fn overdue(snapshot: &Snapshot, left: Duration, patience: Duration) -> RouteError {
    let (kind, retry) = if left > patience {
        (ErrorKind::Timeout, Retry::OtherEndpoint)
    } else if patience >= snapshot.deadlines.first_byte {
        (ErrorKind::Timeout, Retry::Never)
    } else {
        (ErrorKind::OutOfTime, Retry::Never)
    };
    RouteError::engine(kind, retry, "The engine did not answer in time.")
}

async fn begin(
    snapshot: &Snapshot,
    request: &RouteRequest,
    id: EndpointId,
    flight: &mut Flight,
    total: Duration,
) -> Result<Begun, RouteError> {
    let call = EngineCall {
        api: request.view.api,
        body: request.body.clone(),
        headers: headers::for_engine(&request.headers, &request.request_id),
        deadlines: snapshot.deadlines,
    };
    let EngineReply {
        status,
        headers: told,
        body,
    } = snapshot.engine(id).send(call).await?;
    if !status.is_success() {
        let words = Limited::new(body, ERROR_REPLY_BYTES).collect().await;
        let words = words.map(|whole| whole.to_bytes()).unwrap_or_default();
        return Err(status::read(status, &words));
    }
    let body = if headers::is_event_stream(&told) {
        first_events(snapshot, body, flight, total).await?
    } else {
        whole(snapshot, body, flight).await?
    };
    flight.report.status = Some(status.as_u16());
    Ok(Begun {
        status,
        headers: headers::for_caller(told),
        body,
    })
}

/// Reads a whole reply. Nothing was shown to the caller, so whatever goes wrong here may be tried elsewhere.
async fn whole(
    snapshot: &Snapshot,
    body: BoxBody,
    flight: &mut Flight,
) -> Result<BegunBody, RouteError> {
    let read = Limited::new(body, snapshot.limits.reply_bytes)
        .collect()
        .await;
    let whole = read
        .map_err(|_| broken("The engine's reply broke off or was too large."))?
        .to_bytes();
    let facts = reply_facts(&whole);
    if facts.aborted {
        return Err(broken("The engine gave the request up."));
    }
    flight.complete(facts.usage, None);
    Ok(BegunBody::Whole(whole))
}

/// Reads until there is something to show. An engine that fails before that, also under a polite 200, is retried.
async fn first_events(
    snapshot: &Snapshot,
    mut body: BoxBody,
    flight: &mut Flight,
    total: Duration,
) -> Result<BegunBody, RouteError> {
    let mut relay = Relay::new(Limits {
        event_bytes: snapshot.limits.event_bytes,
    });
    loop {
        let step = match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(chunk) => relay.push(chunk),
                Err(_trailers) => continue,
            },
            Some(Err(_)) => return Err(broken("The engine's stream broke off.")),
            None => relay.finish(),
        };
        if !step.forward.is_empty() {
            let patience = Patience {
                idle: snapshot.deadlines.idle,
                total: total.saturating_sub(flight.age()),
            };
            return Ok(BegunBody::Stream {
                first: step,
                relay,
                rest: body,
                patience,
            });
        }
        if let Some(terminal) = step.terminal {
            return Err(nothing_but(terminal));
        }
    }
}

/// The error of a stream that ended before anything could be shown.
fn nothing_but(terminal: Terminal) -> RouteError {
    match terminal {
        Terminal::EngineError(fault) => status::of_fault(fault.error),
        Terminal::Aborted => broken("The engine gave the request up."),
        _ => broken("The engine's stream ended before it began."),
    }
}

fn broken(message: &str) -> RouteError {
    RouteError::engine(ErrorKind::Broken, Retry::OtherEndpoint, message)
}
