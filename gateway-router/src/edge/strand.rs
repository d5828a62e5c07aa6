//! One call to an engine and the choices it answers, with the calls that go on with them.

use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use gateway_core::Explanation;
use gateway_proto::{
    engines::{TokenCall, TokenEvent, Wishes},
    ir::{Event, Format, Step},
    text::model::{Constraint, Continuation, Prepared, Reader, Verdict},
};

use super::{Ask, EdgeReport, report::is_violation};
use crate::{
    HedgeReport, Leg, PairReport, RouteError, Router, TokenReply, TokenRequest, TokenStep,
    TokenStream,
};

type Begins = Pin<Box<dyn Future<Output = Result<TokenReply, RouteError>> + Send>>;

/// The choices of one call.
pub(super) struct Strand {
    request: TokenRequest,
    /// The number of its first choice in the whole answer.
    first: u32,
    choices: Vec<Choice>,
    state: State,
    cached_tokens: Option<u64>,
}

struct Choice {
    reader: Reader,
    /// The prompt, until the caller that wants ids was told.
    prompt: Option<Arc<[u32]>>,
    is_over: bool,
    /// Whether the engine, too, has nothing more to write for it.
    is_finished: bool,
}

/// Where a strand stands among the others of its answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) strand: u32,
    /// The number of its first choice in the whole answer.
    pub(super) first: u32,
    /// How many choices it answers.
    pub(super) choices: u32,
    /// Which of the strands of one prompt it is.
    pub(super) number: u32,
}

enum State {
    /// Not asked yet.
    Ready,
    Streams(Box<TokenStream>),
    Continues(Begins),
    Over,
}

/// A strand whose first tokens are there.
pub(super) struct Begun {
    pub(super) strand: Strand,
    pub(super) endpoint: Arc<str>,
    pub(super) explanation: Option<Box<Explanation>>,
    pub(super) pair: Option<PairReport>,
    pub(super) hedge: Option<Box<HedgeReport>>,
}

impl Strand {
    /// A strand that is not asked for yet. Strands of one prompt have seeds of their own, so that sampled choices differ
    /// as they would in one call.
    pub(super) fn new(ask: &Ask, prepared: &Prepared, wishes: Wishes, place: Place) -> Self {
        let request = &ask.request;
        let max_tokens = prepared.sampling.max_tokens.unwrap_or(u64::MAX);
        let mut call = TokenCall::new(&*request.model, Arc::clone(&prepared.prompt), max_tokens);
        call.sampling = prepared.sampling.clone();
        call.sampling.n = Some(place.choices);
        let seed = call.sampling.seed.as_mut();
        seed.into_iter()
            .for_each(|seed| *seed = seed.wrapping_add(i64::from(place.number)));
        call.logprobs = request.logprobs;
        call.format = format(prepared.constraint.clone());
        call.later_format = prepared.later_constraint().map(|one| one.format.clone());
        call.wishes = wishes;
        call.cache_salt.clone_from(&request.cache_salt);
        call.priority = request.priority;
        let choice = |choice| Choice {
            reader: prepared.reader(choice),
            prompt: request
                .return_token_ids
                .then(|| Arc::clone(&prepared.prompt)),
            is_over: false,
            is_finished: false,
        };
        Self {
            request: TokenRequest {
                call,
                api: ask.api,
                stream: request.stream,
                request_id: Arc::clone(&ask.request_id),
                leg: Leg {
                    strand: place.strand,
                    repeats_prompt: place.number > 0,
                    ..Leg::default()
                },
                headers: ask.headers.clone(),
                hints: ask.hints.clone(),
            },
            first: place.first,
            choices: (place.first..place.first + place.choices)
                .map(choice)
                .collect(),
            state: State::Ready,
            cached_tokens: None,
        }
    }

    /// Asks an engine, and others until one begins to answer.
    pub(super) async fn begin(mut self, router: &Router) -> Result<Begun, RouteError> {
        self.request.leg.began = Some(router.clock().now());
        // In a box: whatever an answer may take on its way is no part of what is held while it is read.
        let reply = Box::pin(router.generate(self.request.clone())).await?;
        self.state = State::Streams(Box::new(reply.events));
        // The record of the decision is told once.
        self.request.hints.explain = false;
        Ok(Begun {
            strand: self,
            endpoint: reply.endpoint,
            explanation: reply.explanation,
            pair: reply.pair,
            hedge: reply.hedge,
        })
    }

    /// Tokens written and, of these, tokens of reasoning.
    pub(super) fn written(&self) -> (u64, u64) {
        self.choices.iter().fold((0, 0), |(all, reasoning), one| {
            let reader = &one.reader;
            (all + reader.tokens(), reasoning + reader.reasoning_tokens())
        })
    }

    /// Prompt tokens that the engine found in its cache at the prompt's first call.
    pub(super) fn cached_tokens(&self) -> Option<u64> {
        self.cached_tokens
            .filter(|_| !self.request.leg.repeats_prompt)
    }

    /// Appends what has come to `out`. Ready with events appended, or when all is over (`false`).
    ///
    /// # Errors
    /// Where the answer broke.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        router: &Router,
        report: &mut EdgeReport,
        out: &mut Vec<Event>,
    ) -> Poll<Result<bool, RouteError>> {
        loop {
            let before = out.len();
            match &mut self.state {
                State::Ready | State::Over => return Poll::Ready(Ok(false)),
                State::Continues(begins) => match begins.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(reply) => self.state = State::Streams(Box::new(reply?.events)),
                },
                State::Streams(stream) => match stream.poll_next(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Some(TokenStep::Event(event))) => {
                        let verdict = self.take(&event, report, out);
                        if let Some(next) = verdict {
                            self.go_on(next, router);
                        }
                    }
                    Poll::Ready(Some(TokenStep::Done { usage })) => {
                        self.cached_tokens = self.cached_tokens.or(usage.cached_tokens);
                        self.let_go();
                    }
                    Poll::Ready(Some(TokenStep::Failed(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(None) => self.state = State::Over,
                },
            }
            if out.len() > before {
                return Poll::Ready(Ok(true));
            }
        }
    }

    /// Takes in one event; gives the call that is to go on with it.
    fn take(
        &mut self,
        event: &TokenEvent,
        report: &mut EdgeReport,
        out: &mut Vec<Event>,
    ) -> Option<Continuation> {
        let choice = self.choices.get_mut(event.choice as usize)?;
        choice.is_finished |= event.finish.is_some();
        if choice.is_over {
            return None;
        }
        let before = out.len();
        let number = self.first + event.choice;
        out.extend(choice.prompt.take().map(|ids| Event::Step {
            choice: number,
            step: Step::PromptTokenIds(ids),
        }));
        let verdict = choice.reader.push(event, out);
        report.violations += u32::from(out[before..].iter().any(is_violation));
        match verdict {
            Verdict::GoOn => None,
            Verdict::Over => {
                choice.is_over = true;
                report.stops += u32::from(event.finish.is_none());
                let mut all = self.choices.iter();
                let writes_on = self.choices.iter().any(|one| !one.is_finished);
                if writes_on && all.all(|one| one.is_over) {
                    self.finish_early();
                }
                None
            }
            Verdict::Continue(next) => {
                let is_constrained = next.constraint.is_some();
                report.constraint_continuations += u32::from(is_constrained);
                report.budget_continuations += u32::from(!is_constrained);
                Some(next)
            }
        }
    }

    /// All is told; what the engine's connection still needs is nothing that the caller must wait for.
    fn let_go(&mut self) {
        if let State::Streams(stream) = mem::replace(&mut self.state, State::Over) {
            stream.drain();
        }
    }

    /// Nothing that the engine may still write is wanted.
    fn finish_early(&mut self) {
        if let State::Streams(stream) = mem::replace(&mut self.state, State::Over) {
            let usage = stream.finish_early();
            self.cached_tokens = self.cached_tokens.or(usage.cached_tokens);
        }
    }

    /// Goes on with the only choice in another call. Its prompt begins with all that was there before, so most of it is
    /// cached where the choice was until now.
    fn go_on(&mut self, next: Continuation, router: &Router) {
        self.finish_early();
        let call = &mut self.request.call;
        self.request.leg.number += 1;
        call.prompt = next.prompt;
        call.max_tokens = next.max_tokens;
        call.format = format(next.constraint);
        call.later_format = None;
        call.sampling.min_tokens = Some(next.min_tokens).filter(|least| *least > 0);
        let (request, router) = (self.request.clone(), router.clone());
        let begins = Box::pin(async move { router.generate(request).await });
        self.state = State::Continues(begins);
    }
}

fn format(constraint: Option<Constraint>) -> Format {
    constraint.map_or(Format::Text, |constraint| constraint.format)
}

impl fmt::Debug for Strand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Strand")
            .field("first", &self.first)
            .field("choices", &self.choices.len())
            .finish_non_exhaustive()
    }
}
