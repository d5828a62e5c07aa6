//! The two exchanges of a pair, and what is owed when they are not wanted any more.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use gateway_core::health::Outcome;
use gateway_proto::engines::transfer::Connector;
use tokio::time::{Sleep, sleep, timeout};

use super::{
    super::{
        load::{LegLoad, outcome_of},
        work::Opening,
    },
    broken::Broken,
    linger::Lingers,
    machine::Event,
    mindie::{Claim, Hearing},
    traced::Traced,
};
use crate::{Cleanup, CleanupReport, ErrorKind, ReportSink, Retry, RouteError};

/// How long one exchange may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) most: Duration,
    /// Whether the request's own time is up then.
    pub(super) is_last: bool,
    /// Whether an engine that was silent for so long is to blame whoever was in a hurry.
    pub(super) is_ample: bool,
}

/// An exchange under way.
pub(super) struct Leg<T> {
    answer: Opening<T>,
    timer: Pin<Box<Sleep>>,
    span: Span,
    traced: Traced,
}

impl<T> Leg<T> {
    pub(super) fn new(answer: Opening<T>, span: Span, traced: Traced) -> Self {
        Self {
            traced,
            answer,
            timer: Box::pin(sleep(span.most)),
            span,
        }
    }

    /// It may take so long from now on.
    pub(super) fn within(&mut self, span: Span) {
        self.timer = Box::pin(sleep(span.most));
        self.span = span;
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RouteError>> {
        let answer = self.poll_in_time(cx);
        if let Poll::Ready(answer) = &answer {
            self.traced.over(answer);
        }
        answer
    }

    fn poll_in_time(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RouteError>> {
        let _within = self.traced.span.enter();
        if let Poll::Ready(answer) = self.answer.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        self.timer.as_mut().poll(cx).map(|()| Err(self.overdue()))
    }

    /// A caller in a hurry says nothing of an engine.
    fn overdue(&self) -> RouteError {
        let (kind, retry) = match self.span {
            Span { is_last: false, .. } => (ErrorKind::Timeout, Retry::OtherEndpoint),
            Span { is_ample: true, .. } => (ErrorKind::Timeout, Retry::Never),
            _ => (ErrorKind::OutOfTime, Retry::Never),
        };
        RouteError::engine(kind, retry, "The engine did not answer in time.")
    }
}

/// Who is to be told what became of a leg.
#[derive(Clone)]
pub(super) struct Owed {
    pub(super) request_id: Arc<str>,
    pub(super) prefill: Arc<str>,
    pub(super) decode: Arc<str>,
    pub(super) sink: Arc<dyn ReportSink>,
    pub(super) lingers: Lingers,
    /// How long a decode leg may go on without its caller.
    pub(super) grace: Duration,
}

impl Owed {
    pub(super) fn tell(&self, endpoint: &Arc<str>, cleanup: Cleanup) {
        self.sink.cleanup(&CleanupReport {
            request_id: Arc::clone(&self.request_id),
            endpoint: Arc::clone(endpoint),
            cleanup,
        });
    }
}

/// What the prefill engine holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Nothing,
    /// Something that no decode engine has been told of.
    ForAnybody,
    /// Something that a decode engine is to fetch, and to free.
    ForDecode,
}

/// The exchanges of a pair. Dropped before it is over, as when the caller leaves, it ends the prefill leg at once, and the
/// decode leg after its first token or the grace.
pub(super) struct Legs<O: Send + 'static> {
    asked: Option<Leg<Bytes>>,
    prefill: Option<Leg<Bytes>>,
    decode: Option<Leg<O>>,
    /// Where the decode engine answers to all together.
    pub(super) hearing: Hearing,
    /// What the decode engine is burdened with, for as long as its leg lasts.
    load: Option<Box<LegLoad>>,
    opened: Option<O>,
    held: Held,
    owed: Owed,
    traced: Traced,
}

impl<O: Send + 'static> Legs<O> {
    pub(super) fn new(owed: Owed, connector: Connector) -> Self {
        Self {
            traced: Traced::pair(connector, &owed.prefill, &owed.decode),
            asked: None,
            prefill: None,
            decode: None,
            hearing: Hearing::default(),
            load: None,
            opened: None,
            held: Held::Nothing,
            owed,
        }
    }

    pub(super) fn ask(&mut self, answer: Opening<Bytes>, span: Span) {
        let traced = self.traced.leg("bootstrap", &self.owed.prefill);
        self.asked = Some(Leg::new(answer, span, traced));
    }

    pub(super) fn prefill(&mut self, answer: Opening<Bytes>, span: Span) {
        let traced = self.traced.leg("prefill", &self.owed.prefill);
        self.prefill = Some(Leg::new(answer, span, traced));
    }

    pub(super) fn decode(&mut self, answer: Opening<O>, span: Span, load: Option<Box<LegLoad>>) {
        if self.held == Held::ForAnybody {
            self.held = Held::ForDecode;
        }
        let traced = self.traced.leg("decode", &self.owed.decode);
        self.decode = Some(Leg::new(answer, span, traced));
        self.load = load;
    }

    /// Takes a place among those whom the decode engine answers, and listens there.
    pub(super) fn join(&mut self, place: Opening<Claim>, span: Span, whole: Span) {
        let leg = |part| self.traced.leg(part, &self.owed.decode);
        let traced = (leg("join"), leg("hear"));
        self.hearing.join(place, span, whole, traced);
    }

    /// The decode engine's load, where its leg is over or is to end now.
    pub(super) fn load(&mut self) -> Option<Box<LegLoad>> {
        self.load.take()
    }

    /// The prefill engine holds something for a decode engine.
    pub(super) fn handed_over(&mut self) {
        self.held = Held::ForAnybody;
    }

    /// What comes next. Prefill comes first: its failure is mostly why decode fails.
    pub(super) async fn next(&mut self) -> Event {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Some(Poll::Ready(told)) = self.asked.as_mut().map(|leg| leg.poll(cx)) {
            self.asked = None;
            return Poll::Ready(Event::Told(told));
        }
        if let Some(Poll::Ready(answer)) = self.prefill.as_mut().map(|leg| leg.poll(cx)) {
            self.prefill = None;
            self.hearing.prefilled(&answer);
            return Poll::Ready(Event::Prefilled(answer));
        }
        if let Poll::Ready(event) = self.hearing.poll(cx) {
            return Poll::Ready(event);
        }
        if let Some(Poll::Ready(opened)) = self.decode.as_mut().map(|leg| leg.poll(cx)) {
            self.decode = None;
            let told = opened.map(|opened| self.opened = Some(opened));
            return Poll::Ready(Event::Decoding(told));
        }
        Poll::Pending
    }

    /// The decode leg's answer. A prefill leg that is still answering goes on by itself; `over` is told when it is over.
    pub(super) fn take(mut self, over: impl FnOnce(Outcome) + Send + 'static) -> Option<O> {
        self.traced.ended("split");
        if let Some(mut leg) = self.prefill.take() {
            let rest = async move {
                let answer = poll_fn(|cx| leg.poll(cx)).await;
                over(answer.map_or_else(|error| outcome_of(error.kind()), |_| Outcome::Served));
            };
            if !self.owed.lingers.keep(rest) {
                self.owed.tell(&self.owed.prefill, Cleanup::NoRoom);
            }
        }
        self.opened.take()
    }

    /// The prefill leg's answer is the caller's.
    pub(super) fn adopted(mut self) {
        self.traced.ended("finished");
    }

    /// The pair is given up: nothing comes over any more, so that nothing is worth waiting for.
    pub(super) fn give_up(mut self, broken: &Broken) {
        self.traced.given_up(broken);
        if self.decode.take().is_some() {
            self.owed.tell(&self.owed.decode, Cleanup::DecodeCancelled);
        }
        // A decode engine that answers frees what it does not fetch; of any other nobody knows that it has heard of it.
        if self.held == Held::ForDecode && !broken.is_answer() {
            self.held = Held::ForAnybody;
        }
    }
}

impl<O: Send + 'static> Drop for Legs<O> {
    fn drop(&mut self) {
        let owed = &self.owed;
        if self.prefill.take().is_some() {
            owed.tell(&owed.prefill, Cleanup::PrefillCancelled);
        }
        if self.held == Held::ForAnybody {
            owed.tell(&owed.prefill, Cleanup::LeftToLease);
        }
        if let Some(mut leg) = self.decode.take() {
            let (told, load) = (owed.clone(), self.load.take());
            let rest = async move {
                // Until its leg has ended the engine is busy with it.
                let _load = load;
                let cleanup = match timeout(told.grace, leg.answer.as_mut()).await {
                    Ok(_) => Cleanup::DecodeAwaited,
                    Err(_) => Cleanup::DecodeCutOff,
                };
                leg.traced.ended(cleanup.name());
                told.tell(&told.decode, cleanup);
            };
            if !owed.lingers.keep(rest) {
                owed.tell(&owed.decode, Cleanup::NoRoom);
            }
        }
    }
}
