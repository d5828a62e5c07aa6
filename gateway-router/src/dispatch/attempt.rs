//! One attempt on one endpoint, up to the first byte that may be shown to the caller.

use std::time::Duration;

use bytes::Bytes;
use gateway_core::{EndpointId, Explanation};
use gateway_proto::{
    openai::reply_facts,
    sse::{Limits, Relay, RelayStep},
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;

use super::{
    ReplyBody, RouteReply, RouteRequest,
    flight::Flight,
    status,
    stream::{Patience, StreamBody},
};
use crate::{
    BoxBody, ErrorKind, Retry, RouteError,
    engine::{EngineCall, EngineReply},
    snapshot::Snapshot,
};

/// The largest error reply that is read, in bytes.
const ERROR_REPLY_BYTES: usize = 64 << 10;

/// Connection-level headers (RFC 9110, 7.6.1) and those that describe a body that is framed anew.
const NOT_PASSED_ON: [HeaderName; 12] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    header::HOST,
    header::EXPECT,
    header::ACCEPT_ENCODING,
];

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
    timeout(patience, beginning).await.unwrap_or_else(|_| {
        let retry = if left > patience {
            Retry::OtherEndpoint
        } else {
            Retry::Never
        };
        Err(RouteError::engine(
            ErrorKind::Timeout,
            retry,
            "The engine did not answer in time.",
        ))
    })
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
        headers: headers_for(request),
        deadlines: snapshot.deadlines,
    };
    let EngineReply {
        status,
        mut headers,
        body,
    } = snapshot.engine(id).send(call).await?;
    if !status.is_success() {
        let told = Limited::new(body, ERROR_REPLY_BYTES).collect().await;
        let told = told.map(|whole| whole.to_bytes()).unwrap_or_default();
        return Err(status::read(status, &told));
    }
    let streams = is_event_stream(&headers);
    headers_for_caller(&mut headers);
    let body = if streams {
        first_events(snapshot, body, flight, total).await?
    } else {
        whole(snapshot, body, flight).await?
    };
    Ok(Begun {
        status,
        headers,
        body,
    })
}

fn headers_for(request: &RouteRequest) -> HeaderMap {
    let mut headers = request.headers.clone();
    for name in &NOT_PASSED_ON {
        headers.remove(name);
    }
    if let Ok(id) = HeaderValue::from_str(&request.request_id)
        && !id.is_empty()
    {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    headers
}

fn headers_for_caller(headers: &mut HeaderMap) {
    for name in &NOT_PASSED_ON {
        headers.remove(name);
    }
    // What belongs to the hop or names the engine's insides; the gateway has its own.
    for name in [
        header::SERVER,
        header::DATE,
        HeaderName::from_static("x-request-id"),
    ] {
        headers.remove(name);
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().starts_with("text/event-stream"))
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
    flight.first_byte();
    let facts = reply_facts(&whole);
    if facts.aborted {
        return Err(broken("The engine gave the request up."));
    }
    flight.complete(facts.usage);
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
            flight.first_byte();
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
        if step.terminal.is_some() {
            return Err(broken("The engine's stream ended before it began."));
        }
    }
}

fn broken(message: &str) -> RouteError {
    RouteError::engine(ErrorKind::Broken, Retry::OtherEndpoint, message)
}
