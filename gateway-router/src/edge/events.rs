//! The events of an answer on their way.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;
use gateway_proto::ir::{Event, Usage};

use super::{by_text::TextEvents, report::Telling, strand::Strand};
use crate::{RouteError, Router};

/// The events of an answer: steps in the order of each choice, then what it cost; or [`Event::Failed`], after which
/// nothing follows. Dropped before its end, it cancels the answer everywhere.
pub struct AnswerEvents {
    ready: VecDeque<Event>,
    source: Source,
}

enum Source {
    Tokens(Box<Strands>),
    Text(Box<TextEvents>),
    Over,
}

struct Strands {
    router: Router,
    strands: Vec<Strand>,
    /// Whose turn it is, so that no choice waits for another's end.
    turn: usize,
    telling: Telling,
    fresh: Vec<Event>,
}

impl AnswerEvents {
    pub(super) fn of_strands(router: Router, strands: Vec<Strand>, telling: Telling) -> Self {
        Self {
            ready: VecDeque::new(),
            source: Source::Tokens(Box::new(Strands {
                router,
                strands,
                turn: 0,
                telling,
                fresh: Vec::new(),
            })),
        }
    }

    pub(super) fn of_text(events: TextEvents) -> Self {
        Self {
            ready: VecDeque::new(),
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
                Source::Tokens(strands) => match strands.poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(true)) => this.ready.extend(strands.fresh.drain(..)),
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

impl Strands {
    /// Ready with fresh events, or when all strands are over (`false`).
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, RouteError>> {
        let count = self.strands.len();
        let mut over = 0;
        for _ in 0..count {
            let at = self.turn % count;
            self.turn = at + 1;
            let report = &mut self.telling.report;
            match self.strands[at].poll(cx, &self.router, report, &mut self.fresh) {
                Poll::Ready(Ok(false)) => over += 1,
                Poll::Ready(outcome) => return Poll::Ready(outcome),
                Poll::Pending => {}
            }
        }
        if over == count {
            Poll::Ready(Ok(false))
        } else {
            Poll::Pending
        }
    }

    /// What the caller is told: its prompts once each, and every token that was written for it.
    fn usage(&self) -> Usage {
        let written = self.strands.iter().map(Strand::written);
        let (completion_tokens, reasoning_tokens) =
            written.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let told = || self.strands.iter().filter_map(Strand::cached_tokens);
        let cached_tokens = told().next().map(|_| told().sum());
        Usage {
            prompt_tokens: self.telling.report.prompt_tokens,
            completion_tokens,
            cached_tokens,
            reasoning_tokens: Some(reasoning_tokens),
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
