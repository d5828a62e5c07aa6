//! Events on their way to the caller, in its dialect.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;
use gateway_proto::{dialect::StreamEncoder, ir::Event};
use gateway_router::edge::AnswerEvents;

/// Bytes that are written before they go out, though more events may be ready.
const FULL_BYTES: usize = 16 << 10;

/// An answer's events as bytes. Dropped before its end, it cancels the answer.
pub(in crate::serve) struct Encoded {
    events: Option<AnswerEvents>,
    encoder: Box<dyn StreamEncoder>,
}

impl Encoded {
    pub(super) fn new(events: AnswerEvents, encoder: Box<dyn StreamEncoder>) -> Self {
        Self {
            events: Some(events),
            encoder,
        }
    }
}

impl Stream for Encoded {
    type Item = Bytes;

    /// Everything that is ready goes out in one piece.
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let this = &mut *self;
        let mut out = Vec::new();
        while let Some(events) = &mut this.events
            && out.len() < FULL_BYTES
        {
            match Pin::new(events).poll_next(cx) {
                Poll::Ready(Some(Event::Failed(error))) => {
                    this.encoder.fail(&error, &mut out);
                    this.events = None;
                }
                Poll::Ready(Some(event)) => this.encoder.event(&event, &mut out),
                Poll::Ready(None) => {
                    this.encoder.finish(&mut out);
                    this.events = None;
                }
                Poll::Pending if out.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready((!out.is_empty()).then(|| out.into()))
    }
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded")
            .field("is_over", &self.events.is_none())
            .finish_non_exhaustive()
    }
}
