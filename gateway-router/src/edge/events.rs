//! The events of an answer on their way.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;
use gateway_proto::ir::Event;

use super::{by_text::TextEvents, strands::Strands};
use crate::RouteError;

/// The events of an answer: steps in the order of each choice, then what it cost; or [`Event::Failed`], after which
/// nothing follows. Dropped before its end, it cancels the answer everywhere.
pub struct AnswerEvents {
    ready: VecDeque<Event>,
    /// What strands write to; always empty in between.
    fresh: Vec<Event>,
    source: Source,
}

enum Source {
    Tokens(Box<Strands>),
    Text(Box<TextEvents>),
    Over,
}

impl AnswerEvents {
    pub(super) fn of_strands(strands: Strands) -> Self {
        Self {
            ready: VecDeque::new(),
            fresh: Vec::new(),
            source: Source::Tokens(Box::new(strands)),
        }
    }

    /// Events that need nobody any more.
    pub(super) fn ready(events: impl Iterator<Item = Event>) -> Self {
        Self {
            ready: events.collect(),
            fresh: Vec::new(),
            source: Source::Over,
        }
    }

    pub(super) fn of_text(events: TextEvents) -> Self {
        Self {
            ready: VecDeque::new(),
            fresh: Vec::new(),
            source: Source::Text(Box::new(events)),
        }
    }

    fn fail(&mut self, error: &RouteError) {
        self.source = Source::Over;
        let api = error.to_api().clone();
        self.ready.push_back(Event::Failed(Box::new(api)));
    }
}

impl Stream for AnswerEvents {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let this = &mut *self;
        loop {
            if let Some(event) = this.ready.pop_front() {
                if matches!(event, Event::Failed(_)) {
                    this.ready.clear();
                    this.source = Source::Over;
                }
                return Poll::Ready(Some(event));
            }
            match &mut this.source {
                Source::Over => return Poll::Ready(None),
                Source::Text(events) => match events.poll(cx, &mut this.ready) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(true) => {}
                    Poll::Ready(false) => this.source = Source::Over,
                },
                Source::Tokens(strands) => match strands.poll(cx, &mut this.fresh) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(true)) => {
                        // Before the pieces: it is written into them.
                        this.ready.extend(strands.cost().map(Event::Usage));
                        this.ready.extend(this.fresh.drain(..));
                    }
                    Poll::Ready(Ok(false)) => {
                        this.ready.push_back(Event::Usage(strands.usage()));
                        this.source = Source::Over;
                    }
                    Poll::Ready(Err(error)) => this.fail(&error),
                },
            }
        }
    }
}

impl fmt::Debug for AnswerEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.source {
            Source::Tokens(_) => "tokens",
            Source::Text(_) => "text",
            Source::Over => "over",
        };
        f.debug_struct("AnswerEvents")
            .field("by", &by)
            .finish_non_exhaustive()
    }
}
