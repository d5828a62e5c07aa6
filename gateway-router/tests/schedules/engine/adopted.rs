//! An answer that was over before there was anything to hand over.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use gateway_router::{
    BoxBody, RouteError,
    engine::{EngineReply, Flow, TokenSource},
    proto::{
        engines::{TokenCall, TokenEvent, TokenFinish},
        ir::Usage,
    },
};
use http_body::Body as _;
use serde_json::Value;

use super::writer::logprob;

/// The prefill engine's words, read as tokens.
pub(super) struct Adopted {
    body: BoxBody,
    has_logprobs: bool,
}

impl Adopted {
    pub(super) fn of(reply: EngineReply, call: &TokenCall) -> Self {
        Self {
            body: reply.body,
            has_logprobs: call.logprobs.is_some(),
        }
    }

    fn event(&self, data: &[u8]) -> Option<TokenEvent> {
        let chunk = data.strip_prefix(b"data: ")?;
        let chunk = serde_json::Deserializer::from_slice(chunk)
            .into_iter::<Value>()
            .next()?;
        let ids = chunk.ok()?["choices"][0]["token_ids"].take();
        let ids: Vec<u32> = serde_json::from_value(ids).ok()?;
        let logprobs = ids
            .iter()
            .filter(|_| self.has_logprobs)
            .map(|id| logprob(*id));
        Some(TokenEvent {
            logprobs: logprobs.collect(),
            ids,
            finish: Some(TokenFinish::Stop { token: None }),
            ..TokenEvent::default()
        })
    }
}

impl TokenSource for Adopted {
    fn poll_more(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Vec<TokenEvent>,
    ) -> Poll<Result<Flow, RouteError>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
            return Poll::Ready(Ok(Flow::Done));
        };
        let data = frame.ok().and_then(|frame| frame.into_data().ok());
        out.extend(data.and_then(|data| self.event(&data)));
        Poll::Ready(Ok(Flow::More))
    }

    fn usage(&self) -> Option<Usage> {
        None
    }
}
