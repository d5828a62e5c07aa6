//! Tokens on their way to whoever makes text of them.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    task::{Context, Poll, ready},
};

use gateway_proto::{
    engines::{TokenEvent, TokenFinish},
    ir::Usage,
};

use super::{
    elsewhere::within_a_form,
    lane::{Lane, News},
    parts::{Part, Parts},
    survival::{Remedy, Scene, Survival, Trouble},
};
use crate::{RouteError, Stuck};

/// One step of an answer in tokens.
#[derive(Clone, Debug)]
pub enum TokenStep {
    /// Something new of one choice.
    Event(TokenEvent),
    /// All choices are over; nothing but the end follows.
    Done {
        /// What it cost: the engine's count, or where it says nothing, or several engines took part, the tokens that came.
        usage: Usage,
    },
    /// The answer broke; nothing but the end follows.
    Failed(RouteError),
}

/// The tokens of an answer, with the guards over its calls.
///
/// When an engine fails in the middle, another one takes up what is left, as
/// [`MigrationSettings`](crate::MigrationSettings) allow, and the reader notices nothing: each token comes once, in the
/// order of its choice. A call with a form cannot be taken up in the middle: where the caller gets no stream its events are
/// held back to the end, and the call starts again.
///
/// Dropped before its end it closes the engine's connection and counts as cancelled. After [`TokenStep::Done`] ask on
/// until `None`, or [`drain`](Self::drain) it: the engine's connection then serves again.
pub struct TokenStream {
    /// Events that go out before the engine is asked for more: those of one chunk per call at most, but where all are held
    /// back.
    ready: VecDeque<TokenEvent>,
    /// What engines write to; always empty in between.
    fresh: Vec<TokenEvent>,
    /// What is seen to once all before it has gone out: a reader that has enough then needs no other engine.
    troubles: VecDeque<Trouble>,
    /// Told once after the last event.
    ending: Option<TokenStep>,
    parts: Parts,
    survival: Option<Box<Survival>>,
    is_over: bool,
    prompt_tokens: u64,
    /// What the engine counted, where one wrote all of it.
    told: Option<Usage>,
    /// What the first engine found in its cache.
    cached_tokens: Option<u64>,
    /// Tokens that have come, of all choices.
    counted: u64,
}

impl TokenStream {
    pub(super) fn new(
        first: impl FnOnce(&mut Vec<TokenEvent>) -> Lane,
        survival: Option<Box<Survival>>,
        prompt_tokens: u64,
    ) -> Self {
        let mut fresh = Vec::new();
        let lane = first(&mut fresh);
        let mut stream = Self {
            ready: VecDeque::new(),
            fresh,
            troubles: VecDeque::new(),
            ending: None,
            parts: Parts::of(lane),
            survival,
            is_over: false,
            prompt_tokens,
            told: None,
            cached_tokens: None,
            counted: 0,
        };
        stream.accept(0);
        stream
    }

    /// The next step; `None` when all is over. Never fails: what breaks is told by [`TokenStep::Failed`], once.
    pub async fn next(&mut self) -> Option<TokenStep> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Polls for the next step.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<TokenStep>> {
        loop {
            if !self.holds_back()
                && let Some(event) = self.ready.pop_front()
            {
                return Poll::Ready(Some(TokenStep::Event(event)));
            }
            if let Some(ending) = self.ending.take() {
                // Most exchanges end with their answer; looking once frees the connection before anybody asks again.
                let _rest = self.parts.poll_rest(cx);
                return Poll::Ready(Some(ending));
            }
            if self.is_over {
                ready!(self.parts.poll_rest(cx));
                return Poll::Ready(None);
            }
            if let Some(trouble) = self.troubles.pop_front() {
                self.see_to(trouble);
            } else if self.parts.are_over() {
                self.complete();
            } else {
                ready!(self.poll_parts(cx));
            }
        }
    }

    /// The reader has seen enough, as at a stop text: ends the engines' work and counts the request as completed, with
    /// the tokens handed out so far. Gives what it cost.
    #[must_use]
    pub fn finish_early(mut self) -> Usage {
        let unread: usize = self.ready.iter().map(|event| event.ids.len()).sum();
        self.counted = self.counted.saturating_sub(unread as u64);
        for (at, lane) in self.parts.lanes() {
            let unread = match &self.survival {
                Some(survival) => survival.tokens_of(at, self.ready.iter()),
                None => unread as u64,
            };
            self.cached_tokens = self.cached_tokens.or_else(|| lane.cached_tokens());
            lane.finish_early(unread);
        }
        self.cost()
    }

    /// After [`TokenStep::Done`]: waits for the end of the exchange beside the caller, and for a moment at most. An answer
    /// that is not whole is cancelled.
    pub fn drain(mut self) {
        if self.is_over && !self.parts.are_gone() {
            tokio::spawn(async move { while self.next().await.is_some() {} });
        }
    }

    fn holds_back(&self) -> bool {
        let holds_back = self.survival.as_ref().is_some_and(|one| one.holds_back());
        holds_back && !self.is_over
    }

    /// Looks at all calls, each once. Ready when there is something to tell or to do.
    fn poll_parts(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut is_ready = false;
        for at in 0..self.parts.len() {
            is_ready |= !self.is_over && self.poll_part(at, cx).is_ready();
        }
        if is_ready {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn poll_part(&mut self, at: usize, cx: &mut Context<'_>) -> Poll<()> {
        let news = match self.parts.at(at) {
            Part::Gone => return Poll::Pending,
            Part::Begins(call) => {
                let asked = call.asked;
                match ready!(call.begins.as_mut().poll(cx)) {
                    Ok(landed) => {
                        if let Some(survival) = &mut self.survival {
                            survival.begun(at, landed.deaths);
                        }
                        let lane = Lane::begin(landed.begun, landed.flight, asked, &mut self.fresh);
                        self.parts.set(at, lane);
                        Ok(News::More)
                    }
                    Err(error) => Err(error),
                }
            }
            Part::Streams(lane) if lane.is_over() => {
                if lane.poll_rest(cx) {
                    self.parts.forget(at);
                }
                return Poll::Pending;
            }
            Part::Streams(lane) => Ok(ready!(lane.poll(cx, &mut self.fresh))),
        };
        self.accept(at);
        match news {
            Ok(News::More) => {}
            Ok(News::Done) => self.lane_is_whole(at),
            Ok(News::Failed(error)) => self.troubles.push_back(Trouble::failed(at, error)),
            Err(error) => self.fail(error),
        }
        Poll::Ready(())
    }

    /// Takes in what the call `at` has written.
    fn accept(&mut self, at: usize) {
        for mut event in self.fresh.drain(..) {
            self.counted += event.ids.len() as u64;
            if event.finish == Some(TokenFinish::Recomputed) {
                event.finish = None;
                self.troubles
                    .push_back(Trouble::thrown_out(at, event.choice));
            }
            if let Some(survival) = &mut self.survival {
                survival.note(&event);
            }
            if !event.ids.is_empty() || event.finish.is_some() {
                self.ready.push_back(event);
            }
        }
    }

    fn lane_is_whole(&mut self, at: usize) {
        let has_moved = self.has_moved();
        let Part::Streams(lane) = self.parts.at(at) else {
            return;
        };
        // A choice of it that was thrown out waits to be seen to, and ends the call then.
        if self.troubles.iter().any(|trouble| trouble.part == at) {
            return;
        }
        let usage = lane.complete();
        self.cached_tokens = self.cached_tokens.or(usage.cached_tokens);
        self.told = Some(usage).filter(|_| !has_moved);
    }

    fn has_moved(&self) -> bool {
        self.survival.as_ref().is_some_and(|one| one.has_moved())
    }

    /// Goes on elsewhere with what a call has left, or gives the answer up.
    fn see_to(&mut self, trouble: Trouble) {
        let next_part = self.parts.len();
        let Part::Streams(lane) = self.parts.at(trouble.part) else {
            return;
        };
        let scene = Scene {
            endpoint: lane.endpoint(),
            last_heard: lane.last_heard(),
            next_part,
        };
        let Some(survival) = &mut self.survival else {
            return self.give_up(trouble, None);
        };
        self.cached_tokens = self.cached_tokens.or_else(|| lane.cached_tokens());
        match survival.remedy(&trouble, &scene) {
            Ok(Remedy::GoOn { ended, calls }) => {
                self.ready.extend(ended);
                let kind = trouble.error.kind();
                if trouble.choice.is_none() && calls.is_empty() {
                    lane.complete_broken(&trouble.error);
                } else if survival.is_idle(trouble.part) {
                    lane.hand_over(kind, true);
                }
                self.parts.extend(calls);
            }
            Ok(Remedy::StartAgain(call)) => {
                let kind = trouble.error.kind();
                self.parts
                    .lanes()
                    .for_each(|(_, lane)| lane.hand_over(kind, false));
                self.troubles.clear();
                self.ready.clear();
                self.counted = 0;
                self.parts.extend(vec![call]);
            }
            Err(stuck) => self.give_up(trouble, stuck),
        }
    }

    fn give_up(&mut self, trouble: Trouble, stuck: Option<Stuck>) {
        let Trouble { part, error, .. } = trouble;
        if let Part::Streams(lane) = self.parts.at(part) {
            lane.fail(&error, stuck);
        }
        self.fail(match stuck {
            Some(Stuck::Form) => within_a_form(&error),
            _ => error,
        });
    }

    fn complete(&mut self) {
        self.is_over = true;
        let usage = self.told.unwrap_or_else(|| self.cost());
        self.ending = Some(TokenStep::Done { usage });
    }

    /// What was shown stands; what was not is forgotten.
    fn fail(&mut self, error: RouteError) {
        if self.holds_back() {
            self.ready.clear();
        }
        self.is_over = true;
        self.parts.lanes().for_each(|(_, lane)| lane.cancel());
        self.parts.clear();
        self.troubles.clear();
        self.ending = Some(TokenStep::Failed(error));
    }

    fn cost(&self) -> Usage {
        Usage {
            prompt_tokens: self.prompt_tokens,
            completion_tokens: self.counted,
            cached_tokens: self.cached_tokens,
            reasoning_tokens: None,
        }
    }
}

impl fmt::Debug for TokenStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenStream")
            .field("parts", &self.parts.len())
            .field("counted", &self.counted)
            .finish_non_exhaustive()
    }
}
