//! Tokens over HTTP: which route an engine is asked on, and its answer as a stream of ids.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use gateway_proto::{
    engines::{TokenEvent, TokenReader, TokenWire, Unsupported},
    error::{EngineFault, FaultShape},
    ir::Usage,
    sse::Limits,
};
use http::StatusCode;
use http_body::Body;
use http_body_util::{BodyExt, Limited};

use super::{
    BoxTokens, EngineReply, Flow, GenerateCall, HttpEngine, TokenSource,
    status::{self, ERROR_REPLY_BYTES},
};
use crate::{RouteError, body::BoxBody};

/// Sends the call on the engine's first route that takes it.
pub(super) async fn send(engine: &HttpEngine, call: GenerateCall) -> Result<BoxTokens, RouteError> {
    let (wire, reply) = post(engine, &call).await?;
    Ok(Box::pin(HttpTokens::new(wire, &call, reply)))
}

/// Sends the call, and leaves its answer unread.
pub(super) async fn post(
    engine: &HttpEngine,
    call: &GenerateCall,
) -> Result<(TokenWire, EngineReply), RouteError> {
    let wires = engine.profile.tokens;
    let known = engine.rungs.tokens.known();
    let mut refused = Unsupported::Tokens {
        engine: engine.profile.called,
    }
    .into();
    for (at, &wire) in wires.iter().enumerate().skip(known) {
        let mut body = wire.encode(&call.call)?;
        if let Some(edit) = &call.edit {
            body = edit.apply(&body).expect("wires write objects");
        }
        let headers = call.headers.clone();
        let connect = call.deadlines.connect;
        let is_leg = call.edit.is_some();
        let reply = engine
            .post_as(is_leg, wire.path(), headers, body, connect)
            .await?;
        if reply.status.is_success() {
            engine.rungs.tokens.settle(at);
            return Ok((wire, reply));
        }
        let (status, words) = read_refusal(reply).await;
        refused = status::read(status, &words);
        if !is_switched_off(status, &words) {
            break;
        }
    }
    Err(refused)
}

/// Reads a reply that somebody else has got, as the answer to `call` on the route that is known to be switched on.
pub(super) fn read(
    engine: &HttpEngine,
    call: &GenerateCall,
    reply: EngineReply,
) -> Option<BoxTokens> {
    let wire = *engine.profile.tokens.get(engine.rungs.tokens.known())?;
    Some(Box::pin(HttpTokens::new(wire, call, reply)))
}

async fn read_refusal(reply: EngineReply) -> (StatusCode, Bytes) {
    let words = Limited::new(reply.body, ERROR_REPLY_BYTES).collect().await;
    let words = words.map(|whole| whole.to_bytes()).unwrap_or_default();
    (reply.status, words)
}

/// Whether it is the route that is refused, and not the request: vLLM answers 403 on a route it knows and does not serve,
/// older ones 404 in the words of their web framework; a model it does not know is a 404 in its own words.
fn is_switched_off(status: StatusCode, words: &[u8]) -> bool {
    match status {
        StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => true,
        StatusCode::NOT_FOUND => {
            let shape = EngineFault::parse(status.as_u16(), words).shape;
            matches!(shape, FaultShape::Detail | FaultShape::Empty)
        }
        _ => false,
    }
}

/// An engine's event stream, read as ids.
struct HttpTokens {
    body: BoxBody,
    reader: TokenReader,
}

impl HttpTokens {
    fn new(wire: TokenWire, call: &GenerateCall, reply: EngineReply) -> Self {
        let limits = Limits {
            event_bytes: call.event_bytes,
        };
        Self {
            body: reply.body,
            reader: TokenReader::new(wire, &call.call, limits),
        }
    }
}

impl TokenSource for HttpTokens {
    fn poll_more(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Vec<TokenEvent>,
    ) -> Poll<Result<Flow, RouteError>> {
        let before = out.len();
        loop {
            if let Some(end) = self.reader.end() {
                let end = end.map(|()| Flow::Done).map_err(status::of_token_fault);
                return Poll::Ready(end);
            }
            if out.len() > before {
                return Poll::Ready(Ok(Flow::More));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    // Trailers say nothing.
                    if let Ok(chunk) = frame.into_data() {
                        self.reader.push(&chunk, out);
                    }
                }
                Some(Err(_)) | None => self.reader.finish(out),
            }
        }
    }

    fn poll_rest(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(Ok(_)) = ready!(Pin::new(&mut self.body).poll_frame(cx)) {}
        Poll::Ready(())
    }

    fn usage(&self) -> Option<Usage> {
        self.reader.usage()
    }
}
