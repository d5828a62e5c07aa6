//! A reply as the caller gets it.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;
use gateway_core::Explanation;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

use super::stream::StreamBody;
use crate::{HedgeReport, PairReport};

/// A reply with where it came from.
#[derive(Debug)]
pub struct RouteReply {
    /// The engine's reply, hop-by-hop headers left out.
    pub response: Response<ReplyBody>,
    /// The endpoint that serves it.
    pub endpoint: Arc<str>,
    /// The record of the last decision, where hints asked for it.
    pub explanation: Option<Box<Explanation>>,
    /// What became of splitting it between two engines; `None` where that was out of the question.
    pub pair: Option<PairReport>,
    /// What became of a second engine beside a silent one; `None` where none was called for.
    pub hedge: Option<Box<HedgeReport>>,
}

/// The body of a reply: whole, or a stream of events. It never fails: a stream that breaks ends with one error event and
/// no `[DONE]`. Dropping it before its end cancels the request at the engine.
#[derive(Debug)]
pub struct ReplyBody(Inner);

#[derive(Debug)]
enum Inner {
    Whole(Full<Bytes>),
    Stream(Box<StreamBody>),
    Written(Written),
}

/// Bytes that somebody else makes.
struct Written(Pin<Box<dyn Stream<Item = Bytes> + Send>>);

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Written")
    }
}

impl ReplyBody {
    /// A body of bytes that are made elsewhere, as when an answer is translated. Dropping it drops the stream.
    #[must_use]
    pub fn written(stream: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self(Inner::Written(Written(Box::pin(stream))))
    }

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
            Inner::Written(Written(stream)) => stream
                .as_mut()
                .poll_next(cx)
                .map(|chunk| chunk.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Whole(body) => body.is_end_stream(),
            Inner::Stream(body) => body.is_over(),
            Inner::Written(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(body) => body.size_hint(),
            Inner::Stream(_) | Inner::Written(_) => SizeHint::default(),
        }
    }
}
