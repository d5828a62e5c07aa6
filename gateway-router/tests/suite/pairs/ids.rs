//! The engines' answers as token ids.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use gateway_router::{
    ErrorKind, Retry, RouteError,
    engine::{BoxTokens, EngineReply, Flow, GenerateCall, TokenSource},
    proto::{
        engines::{TokenEvent, TokenFinish},
        error::ApiError,
        ir::Usage,
    },
};
use http_body_util::BodyExt;
use serde_json::{Value, json};

/// What an engine that knows the prompt says, and what one says that fetched the wrong blocks.
pub(super) const HELLO: [u32; 3] = [7, 8, 9];
pub(super) const WRONG: [u32; 3] = [0, 0, 0];

/// The members that a leg's edit adds, as a body of their own, with how many tokens are asked for.
pub(super) fn body_of(call: &GenerateCall) -> Value {
    let edit = call.edit.as_ref();
    let edited = edit.map(|edit| edit.apply(b"{\"stream\":true}").expect("an object"));
    let mut body: Value = match edited {
        Some(edited) => serde_json::from_slice(&edited).expect("JSON"),
        None => json!({"stream": true}),
    };
    body["asked"] = json!(call.call.max_tokens);
    body
}

/// The ids that a reply in words stands for.
pub(super) async fn tokens_of(reply: EngineReply) -> Result<BoxTokens, RouteError> {
    let failed = |message: &str| {
        let api = ApiError::upstream(message);
        RouteError::new(ErrorKind::EngineFailed, Retry::OtherEndpoint, api)
    };
    let whole = reply.body.collect().await.map_err(|_| failed("broken"))?;
    let text = whole.to_bytes();
    let text = String::from_utf8_lossy(&text);
    let has = |word| text.contains(word);
    if has("\"error\"") || has("\"abort\"") {
        return Err(failed(&text));
    }
    let ids = if has("Hello") { HELLO } else { WRONG };
    Ok(Box::pin(Said(Some(ids))))
}

struct Said(Option<[u32; 3]>);

impl TokenSource for Said {
    fn poll_more(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        out: &mut Vec<TokenEvent>,
    ) -> Poll<Result<Flow, RouteError>> {
        let Some(ids) = self.0.take() else {
            return Poll::Ready(Ok(Flow::Done));
        };
        out.push(TokenEvent {
            ids: ids.to_vec(),
            finish: Some(TokenFinish::Length),
            ..TokenEvent::default()
        });
        Poll::Ready(Ok(Flow::Done))
    }

    fn usage(&self) -> Option<Usage> {
        None
    }
}
