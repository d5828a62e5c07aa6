//! Tokens on their way to whoever makes text of them.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    mem,
    task::{Context, Poll},
};

use gateway_proto::{engines::TokenEvent, ir::Usage};

use super::{
    super::{flight::Flight, silence::Silence, work::tokens},
    attempt::Begun,
};
use crate::{
    RouteError,
    engine::{BoxTokens, Flow},
};

/// One step of an answer in tokens.
#[derive(Clone, Debug)]
pub enum TokenStep {
    /// Something new of one choice.
    Event(TokenEvent),
    /// All choices are over; nothing but the end follows.
    Done {
        /// What it cost: the engine's count, or where it says nothing the tokens that came.
        usage: Usage,
    },
    /// The answer broke; nothing but the end follows.
    Failed(RouteError),
}

/// The tokens of an answer, with the guard over its request.
///
/// Dropped before its end it closes the engine's connection and counts as cancelled. After [`TokenStep::Done`] ask on
/// until `None`, or [`drain`](Self::drain) it: the engine's connection then serves again.
pub struct TokenStream {
    /// Events that go out before the engine is asked for more: those of one chunk at most.
    ready: VecDeque<TokenEvent>,
    /// What engines write to; always empty in between.
    fresh: Vec<TokenEvent>,
    /// Told once after the last event.
    ending: Option<TokenStep>,
    /// `None` once the exchange is over.
    source: Option<BoxTokens>,
    /// `None` once the answer is over.
    flight: Option<Flight>,
    silence: Silence,
    has_token: bool,
    prompt_tokens: u64,
    /// Tokens that have come, of all choices.
    counted: u64,
}

impl TokenStream {
    pub(super) fn new(begun: Begun, flight: Flight, prompt_tokens: u64) -> Self {
        let silence = Silence::begin(flight.now(), begun.patience);
        let mut stream = Self {
            ready: VecDeque::new(),
            fresh: begun.first,
            ending: None,
            source: Some(begun.source),
            flight: Some(flight),
            silence,
            has_token: false,
            prompt_tokens,
            counted: 0,
        };
        stream.accept();
        if begun.flow == Flow::Done {
            stream.complete();
        }
        stream
    }

    /// The next step; `None` when all is over. Never fails: what breaks is told by [`TokenStep::Failed`], once.
    pub async fn next(&mut self) -> Option<TokenStep> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Polls for the next step.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<TokenStep>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(Some(TokenStep::Event(event)));
            }
            if let Some(ending) = self.ending.take() {
                // Most exchanges end with their answer; looking once frees the connection before anybody asks again.
                self.poll_rest(cx);
                return Poll::Ready(Some(ending));
            }
            if self.flight.is_none() {
                self.poll_rest(cx);
                return match self.source {
                    Some(_) => Poll::Pending,
                    None => Poll::Ready(None),
                };
            }
            if self.poll_engine(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// The reader has seen enough, as at a stop text: ends the engine's work and counts the request as completed, with
    /// the tokens handed out so far. Gives what it cost.
    #[must_use]
    pub fn finish_early(mut self) -> Usage {
        let unread: usize = self.ready.iter().map(|event| event.ids.len()).sum();
        self.counted = self.counted.saturating_sub(unread as u64);
        let usage = self.counted_usage();
        if let Some(mut flight) = self.flight.take() {
            flight.complete(Some(usage), Some(tokens(self.counted)));
        }
        usage
    }

    /// After [`TokenStep::Done`]: waits for the end of the exchange beside the caller, and for a moment at most. An answer
    /// that is not whole is cancelled.
    pub fn drain(mut self) {
        if self.source.is_some() && self.flight.is_none() {
            tokio::spawn(async move { while self.next().await.is_some() {} });
        }
    }

    /// Asks the engine for more, with an eye on the clock. Ready when there is something to tell.
    fn poll_engine(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (Some(source), Some(flight)) = (&mut self.source, &mut self.flight) else {
            return Poll::Ready(());
        };
        match source.as_mut().poll_more(cx, &mut self.fresh) {
            Poll::Ready(flow) => {
                self.silence.broken(flight);
                self.accept();
                match flow {
                    Ok(Flow::More) => {}
                    Ok(Flow::Done) => self.complete(),
                    Err(error) => self.fail(error),
                }
                Poll::Ready(())
            }
            Poll::Pending => match self.silence.overdue(cx, flight) {
                Some(error) => {
                    self.fail(error);
                    Poll::Ready(())
                }
                None => Poll::Pending,
            },
        }
    }

    /// Drives what is left of an exchange whose answer is whole; gives it up when it takes too long.
    fn poll_rest(&mut self, cx: &mut Context<'_>) {
        if let Some(source) = &mut self.source
            && (source.as_mut().poll_rest(cx).is_ready() || self.silence.has_waited(cx))
        {
            self.source = None;
        }
    }

    fn accept(&mut self) {
        let ids: usize = self.fresh.iter().map(|event| event.ids.len()).sum();
        self.counted += ids as u64;
        self.ready.extend(self.fresh.drain(..));
        if ids > 0 && !mem::replace(&mut self.has_token, true) {
            let cached = self.told().and_then(|usage| usage.cached_tokens);
            if let Some(flight) = &mut self.flight {
                flight.first_token(cached.map(tokens));
            }
        }
    }

    fn complete(&mut self) {
        let usage = self.usage();
        if let Some(mut flight) = self.flight.take() {
            flight.complete(Some(usage), Some(tokens(self.counted)));
        }
        self.ending = Some(TokenStep::Done { usage });
        self.silence.wait_for_end();
    }

    fn fail(&mut self, error: RouteError) {
        let usage = self.usage();
        if let Some(mut flight) = self.flight.take() {
            flight.fail(error.kind(), Some(usage));
        }
        self.ending = Some(TokenStep::Failed(error));
        self.source = None;
    }

    fn told(&self) -> Option<Usage> {
        self.source.as_ref().and_then(|source| source.usage())
    }

    fn usage(&self) -> Usage {
        self.told().unwrap_or_else(|| self.counted_usage())
    }

    fn counted_usage(&self) -> Usage {
        Usage {
            prompt_tokens: self.prompt_tokens,
            completion_tokens: self.counted,
            cached_tokens: self.told().and_then(|usage| usage.cached_tokens),
            reasoning_tokens: None,
        }
    }
}

impl fmt::Debug for TokenStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenStream")
            .field("flight", &self.flight)
            .field("counted", &self.counted)
            .finish_non_exhaustive()
    }
}
