//! One exchange with an engine, and the guard over it.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use gateway_core::Timestamp;
use gateway_proto::{engines::TokenEvent, ir::Usage};

use super::{
    super::{flight::Flight, silence::Silence, work::tokens},
    attempt::Begun,
};
use crate::{
    ErrorKind, RouteError, Stuck,
    engine::{BoxTokens, Flow},
};

/// What a call asked for, as far as its exchange must know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) prompt_tokens: u64,
    /// The reader's number of its only choice, where it takes up one; else the engine's numbers are the reader's.
    pub(super) only: Option<u32>,
    /// When the reader last got something from the call before it.
    pub(super) since: Option<Timestamp>,
}

/// A call that has begun.
pub(super) struct Lane {
    /// `None` once the exchange is over.
    source: Option<BoxTokens>,
    /// `None` once the answer is over.
    flight: Option<Flight>,
    silence: Silence,
    asked: Asked,
    /// Whether all came at once.
    is_done: bool,
    has_token: bool,
    /// Tokens that have come.
    counted: u64,
}

/// What a look at an exchange has shown.
pub(super) enum News {
    /// There may be more.
    More,
    /// All has come.
    Done,
    /// It broke.
    Failed(RouteError),
}

impl Lane {
    /// Appends the first tokens to `out`.
    pub(super) fn begin(
        begun: Begun,
        mut flight: Flight,
        asked: Asked,
        out: &mut Vec<TokenEvent>,
    ) -> Self {
        let now = flight.now();
        if let Some(since) = asked.since {
            flight.report.gaps.add(micros(now.since(since)));
        }
        let Begun { opened, patience } = begun;
        let mut lane = Self {
            source: Some(opened.source),
            silence: Silence::begin(now, patience),
            flight: Some(flight),
            asked,
            is_done: opened.flow == Flow::Done,
            has_token: false,
            counted: 0,
        };
        let before = out.len();
        out.extend(opened.first);
        lane.accept(&mut out[before..]);
        lane
    }

    /// Whether its answer is over, or no business of the reader's any more.
    pub(super) fn is_over(&self) -> bool {
        self.flight.is_none()
    }

    /// The endpoint that serves it.
    pub(super) fn endpoint(&self) -> Option<Arc<str>> {
        self.flight.as_ref()?.report.endpoint.clone()
    }

    /// When something last came of it.
    pub(super) fn last_heard(&self) -> Timestamp {
        self.silence.last_chunk()
    }

    /// Asks the engine for more, with an eye on the clock.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, out: &mut Vec<TokenEvent>) -> Poll<News> {
        let (Some(source), Some(flight)) = (&mut self.source, &mut self.flight) else {
            return Poll::Pending;
        };
        if self.is_done {
            return Poll::Ready(News::Done);
        }
        let before = out.len();
        match source.as_mut().poll_more(cx, out) {
            Poll::Ready(flow) => {
                self.silence.broken(flight);
                self.accept(&mut out[before..]);
                Poll::Ready(match flow {
                    Ok(Flow::More) => News::More,
                    Ok(Flow::Done) => News::Done,
                    Err(error) => News::Failed(error),
                })
            }
            Poll::Pending => match self.silence.overdue(cx, flight) {
                Some(error) => Poll::Ready(News::Failed(error)),
                None => Poll::Pending,
            },
        }
    }

    /// Once its answer is over: drives what is left of the exchange, and gives it up when that takes too long. Whether
    /// nothing is left.
    pub(super) fn poll_rest(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(source) = &mut self.source
            && (source.as_mut().poll_rest(cx).is_ready() || self.silence.has_waited(cx))
        {
            self.source = None;
        }
        self.source.is_none()
    }

    fn accept(&mut self, events: &mut [TokenEvent]) {
        let mut ids = 0;
        for event in events {
            event.choice = self.asked.only.unwrap_or(event.choice);
            ids += event.ids.len() as u64;
        }
        self.counted += ids;
        if ids > 0 && !mem::replace(&mut self.has_token, true) {
            let cached = self.cached_tokens();
            if let Some(flight) = &mut self.flight {
                flight.first_token(cached.map(tokens));
            }
        }
    }

    /// Its answer is whole. Gives what it cost: the engine's count, or where that says nothing the tokens that came.
    pub(super) fn complete(&mut self) -> Usage {
        let usage = self.told().unwrap_or_else(|| self.cost());
        if let Some(mut flight) = self.flight.take() {
            flight.complete(Some(usage), Some(tokens(self.counted)));
        }
        self.silence.wait_for_end();
        usage
    }

    /// The reader has seen enough, all but the last `unread` tokens; the engine's work ends here.
    pub(super) fn finish_early(&mut self, unread: u64) {
        self.counted = self.counted.saturating_sub(unread);
        let usage = self.cost();
        if let Some(mut flight) = self.flight.take() {
            flight.complete(Some(usage), Some(tokens(self.counted)));
        }
        self.source = None;
    }

    /// It broke, but all that was asked for had come.
    pub(super) fn complete_broken(&mut self, error: &RouteError) {
        let usage = self.cost();
        if let Some(mut flight) = self.flight.take() {
            flight.attempt_failed(error);
            flight.complete(Some(usage), None);
        }
        self.source = None;
    }

    /// Another call takes it up; `keeps` says whether what came stays.
    pub(super) fn hand_over(&mut self, kind: ErrorKind, keeps: bool) {
        self.counted = if keeps { self.counted } else { 0 };
        let usage = self.cost();
        if let Some(mut flight) = self.flight.take() {
            flight.resumed(kind, usage);
        }
        self.source = None;
    }

    /// The answer broke here, and nobody takes it up.
    pub(super) fn fail(&mut self, error: &RouteError, stuck: Option<Stuck>) {
        let usage = self.cost();
        if let Some(mut flight) = self.flight.take() {
            flight.report.stuck = stuck;
            flight.break_off(error, Some(usage));
        }
        self.source = None;
    }

    /// The answer is over without the engine's fault: it broke in another call.
    pub(super) fn cancel(&mut self) {
        let usage = self.cost();
        if let Some(mut flight) = self.flight.take() {
            flight.report.usage = Some(usage);
        }
        self.source = None;
    }

    /// What the engine has found in its cache, where it has said so.
    pub(super) fn cached_tokens(&self) -> Option<u64> {
        self.told()?.cached_tokens
    }

    fn told(&self) -> Option<Usage> {
        self.source.as_ref()?.usage()
    }

    fn cost(&self) -> Usage {
        Usage {
            prompt_tokens: self.asked.prompt_tokens,
            completion_tokens: self.counted,
            cached_tokens: self.cached_tokens(),
            reasoning_tokens: None,
        }
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
