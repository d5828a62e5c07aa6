//! A reply as the caller gets it.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use gateway_core::Explanation;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

use super::stream::StreamBody;

/// A reply with where it came from.
#[derive(Debug)]
pub struct RouteReply {
    /// The engine's reply, hop-by-hop headers left out.
    pub response: Response<ReplyBody>,
    /// The endpoint that serves it.
    pub endpoint: Arc<str>,
    /// The record of the last decision, where hints asked for it.
    pub explanation: Option<Box<Explanation>>,
}

/// The body of a reply: whole, or a stream of events. It never fails: a stream that breaks ends with one error event and
/// no `[DONE]`. Dropping it before its end cancels the request at the engine.
#[derive(Debug)]
pub struct ReplyBody(Inner);

#[derive(Debug)]
enum Inner {
    Whole(Full<Bytes>),
    Stream(Box<StreamBody>),
}

impl ReplyBody {
    pub(super) fn stream(stream: StreamBody) -> Self {
        Self(Inner::Stream(Box::new(stream)))
    }
}

impl From<Bytes> for ReplyBody {
    fn from(whole: Bytes) -> Self {
        Self(Inner::Whole(Full::new(whole)))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.get_mut().0 {
            Inner::Whole(body) => Pin::new(body).poll_frame(cx),
            Inner::Stream(body) => body
                .poll_chunk(cx)
                .map(|chunk| chunk.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Whole(body) => body.is_end_stream(),
            Inner::Stream(body) => body.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(body) => body.size_hint(),
            Inner::Stream(_) => SizeHint::default(),
        }
    }
}
