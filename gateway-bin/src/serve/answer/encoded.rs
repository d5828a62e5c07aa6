//! Events on their way to the caller, in its dialect.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{FutureExt as _, Stream, future::BoxFuture};
use gateway_proto::{dialect::StreamEncoder, ir::Event};
use gateway_router::edge::AnswerEvents;

/// Bytes that are written before they go out, though more events may be ready.
const FULL_BYTES: usize = 16 << 10;

/// Writes a stream, and may have something to see to before its end goes out.
pub(in crate::serve) trait Encoder: StreamEncoder {
    /// What must be done before the caller sees what `finish` or `fail` wrote.
    fn settle(&mut self) -> Option<BoxFuture<'static, ()>> {
        None
    }
}

/// An answer's events as bytes. Dropped before its end, it cancels the answer.
pub(in crate::serve) struct Encoded {
    events: Option<AnswerEvents>,
    encoder: Box<dyn Encoder>,
    /// The end, once written, and what it waits for.
    last: Option<(Vec<u8>, BoxFuture<'static, ()>)>,
}

impl Encoded {
    pub(in crate::serve) fn new(events: AnswerEvents, encoder: Box<dyn Encoder>) -> Self {
        Self {
            events: Some(events),
            encoder,
            last: None,
        }
    }

    /// Holds `end` back where something is to be done first.
    fn settled(&mut self, end: Vec<u8>) -> Vec<u8> {
        self.events = None;
        match self.encoder.settle() {
            Some(settling) => {
                self.last = Some((end, settling));
                Vec::new()
            }
            None => end,
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
                    out = this.settled(out);
                }
                Poll::Ready(Some(event)) => this.encoder.event(&event, &mut out),
                Poll::Ready(None) => {
                    this.encoder.finish(&mut out);
                    out = this.settled(out);
                }
                Poll::Pending if out.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        if let Some((_, settling)) = &mut this.last {
            ready!(settling.poll_unpin(cx));
            out = this.last.take().map_or(out, |(end, _)| end);
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
