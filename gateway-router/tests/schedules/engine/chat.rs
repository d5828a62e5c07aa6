//! Answers in text, by the chat route.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use gateway_router::{
    BrokenBody, RouteError,
    engine::{EngineCall, EngineReply},
    proto::engines::{TokenCall, TokenEvent, TokenFinish},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::{
    condition::Strike,
    part::Part,
    tokens::end_of,
    writer::{Writing, Wrote},
};

/// What a chat asks for.
pub(super) struct Asked {
    pub(super) call: Arc<TokenCall>,
    pub(super) stream: bool,
    pub(super) part: Part,
}

impl Asked {
    pub(super) fn of(call: &EngineCall) -> Self {
        let body: Value = serde_json::from_slice(&call.body).expect("callers send JSON");
        let said = body["messages"][0]["content"].as_str().expect("text");
        let prompt: Vec<u32> = said.bytes().map(u32::from).collect();
        let max_tokens = body["max_tokens"].as_u64().expect("a number");
        Self {
            call: Arc::new(TokenCall::new("m", prompt, max_tokens)),
            stream: body["stream"] == true,
            part: Part::of(&body),
        }
    }
}

/// The text of tokens.
pub(crate) fn words(ids: &[u32]) -> String {
    ids.iter().map(|id| format!(" {id}")).collect()
}

/// A whole answer.
pub(super) async fn whole(mut writing: Writing) -> Result<EngineReply, RouteError> {
    let mut ids = Vec::new();
    loop {
        match writing.pieces.recv().await {
            Some(Wrote::Tokens(events)) => {
                if events.iter().any(is_thrown_out) {
                    return Ok(reply(500, "{}"));
                }
                ids.extend(events.into_iter().flat_map(|event| event.ids));
            }
            Some(Wrote::Struck(Strike::ErrorEvent | Strike::Abort)) => return Ok(reply(500, "{}")),
            other => {
                end_of(other.as_ref())?;
                let message = json!({"role": "assistant", "content": words(&ids)});
                let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
                return Ok(reply(200, &json!({"choices": [choice]}).to_string()));
            }
        }
    }
}

pub(super) fn reply(status: u16, body: &str) -> EngineReply {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    EngineReply {
        status: StatusCode::from_u16(status).expect("a status"),
        headers: kind("application/json"),
        body: body.map_err(|never| match never {}).boxed_unsync(),
    }
}

fn kind(name: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(name))])
}

/// An answer as it comes.
pub(super) fn streamed(writing: Writing) -> EngineReply {
    let events = Events {
        writing,
        is_over: false,
    };
    EngineReply {
        status: StatusCode::OK,
        headers: kind("text/event-stream"),
        body: events.boxed_unsync(),
    }
}

struct Events {
    writing: Writing,
    is_over: bool,
}

impl Body for Events {
    type Data = Bytes;
    type Error = BrokenBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenBody>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let said = match ready!(self.writing.pieces.poll_recv(cx)) {
            Some(Wrote::Tokens(events)) => events.iter().map(chunk).collect(),
            Some(Wrote::End) => "data: [DONE]\n\n".to_owned(),
            Some(Wrote::Struck(Strike::ErrorEvent)) => {
                let error = json!({"error": {"message": "died", "type": "x", "code": 500}});
                format!("data: {error}\n\ndata: [DONE]\n\n")
            }
            Some(Wrote::Struck(Strike::Abort)) => format!("{}data: [DONE]\n\n", ended("abort")),
            _ => {
                self.is_over = true;
                return Poll::Ready(Some(Err(BrokenBody)));
            }
        };
        self.is_over = said.ends_with("[DONE]\n\n");
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(said)))))
    }
}

/// The chat route has no word for it but that it failed.
fn is_thrown_out(event: &TokenEvent) -> bool {
    event.finish == Some(TokenFinish::Recomputed)
}

fn chunk(event: &TokenEvent) -> String {
    if is_thrown_out(event) {
        return ended("abort");
    }
    let delta = json!({"content": words(&event.ids)});
    let choice = json!({"index": event.choice, "delta": delta});
    let said = format!("data: {}\n\n", json!({"choices": [choice]}));
    let end = event.finish.as_ref().map(|_| ended("stop"));
    said + &end.unwrap_or_default()
}

fn ended(reason: &str) -> String {
    let choice = json!({"index": 0, "delta": {}, "finish_reason": reason});
    format!("data: {}\n\n", json!({"choices": [choice]}))
}
