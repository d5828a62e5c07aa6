//! A body on its way to an engine and back: one attempt, up to the first byte that may be shown to the caller.

use std::time::Duration;

use bytes::Bytes;
use gateway_core::{EndpointId, hash};
use gateway_proto::{
    openai::reply_facts,
    sse::{Limits, Relay, RelayStep, Terminal},
};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Limited};

use super::{
    ReplyBody, RouteReply, RouteRequest,
    flight::Flight,
    headers,
    request::Keys,
    run::{Landed, run},
    silence::Patience,
    stream::StreamBody,
    work::{Subject, Work, tokens},
};
use crate::{
    BoxBody, ErrorKind, Retry, RouteError,
    engine::{
        EngineCall, EngineReply,
        status::{self, ERROR_REPLY_BYTES},
    },
    router::Shared,
    snapshot::Snapshot,
};

/// Routes `request`.
pub(crate) async fn route(
    shared: &Shared,
    request: RouteRequest,
) -> Result<RouteReply, RouteError> {
    let snapshot = shared.snapshot.load_full();
    run(shared, &snapshot, &request)
        .await
        .map(Begun::into_reply)
}

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
    fn into_reply(landed: Landed<Self>) -> RouteReply {
        let Self {
            status,
            headers,
            body,
        } = landed.begun;
        let body = match body {
            BegunBody::Whole(whole) => ReplyBody::from(whole),
            BegunBody::Stream {
                first,
                relay,
                rest,
                patience,
            } => ReplyBody::stream(StreamBody::new(first, relay, rest, landed.flight, patience)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        RouteReply {
            response,
            endpoint: landed.endpoint,
            explanation: landed.explanation,
        }
    }
}

impl Work for RouteRequest {
    type Begun = Begun;

    fn subject(&self) -> Subject<'_> {
        let view = &self.view;
        let session = view.session_key(&self.body).map(|key| hash::seed(&[key]));
        Subject {
            api: view.api,
            model: &view.model,
            request_id: &self.request_id,
            leg: self.leg,
            hints: &self.hints,
            stream: view.stream,
            engine_streams: view.stream,
            prompt_tokens: tokens(view.prompt_size.tokens),
            max_tokens: view.max_tokens.map_or(0, tokens),
            session,
        }
    }

    fn keys(&self, snapshot: &Snapshot, is_adapter: bool) -> Keys {
        Self::keys(self, &snapshot.text, &snapshot.feeds, is_adapter)
    }

    async fn begin(
        &self,
        snapshot: &Snapshot,
        id: EndpointId,
        flight: &mut Flight,
        total: Duration,
    ) -> Result<Begun, RouteError> {
        begin(snapshot, self, id, flight, total).await
    }
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
        headers: headers::for_engine(&request.headers, &request.leg.id(&request.request_id)),
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
