//! Engines in memory whose every token depends on all before it: only a call that goes on from the right place writes what
//! the first would have.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use gateway_router::{
    ErrorKind, Retry, RouteError,
    core::load::Telemetry,
    engine::{BoxTokens, EngineCall, EngineClient, EngineReply, Flow, GenerateCall, TokenSource},
    proto::{
        engines::{IdLogprob, TokenCall, TokenEvent, TokenFinish},
        error::ApiError,
        ir::Usage,
        openai::ModelCard,
    },
};
use tokio::time::{Sleep, sleep};

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The stream breaks off.
    Breaks,
    /// The engine says that it failed.
    Fails,
    /// Nothing more comes.
    Hangs,
    /// Each choice in turn is thrown out, at its own place.
    ThrowsOut,
    /// Is turned away where it is asked.
    Refused,
    /// The engine dies of it before its first token.
    Dies,
}

impl How {
    pub(super) const MIDWAY: [Self; 4] = [Self::Breaks, Self::Fails, Self::Hangs, Self::ThrowsOut];

    /// What the router makes of it.
    pub(super) fn kind(self) -> ErrorKind {
        match self {
            Self::Breaks => ErrorKind::Broken,
            Self::Fails => ErrorKind::EngineFailed,
            Self::Hangs => ErrorKind::Timeout,
            Self::ThrowsOut => ErrorKind::Recomputed,
            Self::Refused => ErrorKind::Connect,
            Self::Dies => ErrorKind::Closed,
        }
    }
}

/// A call's fault: how it fails, and after how many tokens of each choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) after: usize,
    pub(super) how: How,
}

impl Fault {
    /// After how many tokens it comes to a choice: engines throw out one after another.
    fn place(self, choice: u32) -> usize {
        match self.how {
            How::ThrowsOut => self.after + choice as usize,
            _ => self.after,
        }
    }
}

pub(super) fn fault(how: How, after: usize) -> Fault {
    Fault { after, how }
}

/// An engine that writes, faultlessly but for the faults it is told.
pub(super) struct WritingEngine {
    faults: Mutex<VecDeque<Fault>>,
    calls: Mutex<Vec<TokenCall>>,
    /// The tokens it may write; any number where empty.
    words: Arc<[u32]>,
    /// The token that ends an answer.
    end: Option<u32>,
}

impl WritingEngine {
    pub(super) fn new(faults: &[Fault]) -> Arc<Self> {
        Self::with_words(faults, Arc::from([]), None)
    }

    pub(super) fn with_words(faults: &[Fault], words: Arc<[u32]>, end: Option<u32>) -> Arc<Self> {
        Arc::new(Self {
            faults: Mutex::new(faults.iter().copied().collect()),
            calls: Mutex::default(),
            words,
            end,
        })
    }

    pub(super) fn calls(&self) -> Vec<TokenCall> {
        let calls = self.calls.lock();
        calls.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl EngineClient for WritingEngine {
    async fn send(&self, _call: EngineCall) -> Result<EngineReply, RouteError> {
        Err(error(ErrorKind::Rejected))
    }

    async fn generate(&self, call: GenerateCall) -> Result<BoxTokens, RouteError> {
        let calls = self.calls.lock();
        calls
            .unwrap_or_else(PoisonError::into_inner)
            .push((*call.call).clone());
        let faults = self.faults.lock();
        let fault = faults.unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(how @ (How::Refused | How::Dies)) = fault.map(|fault| fault.how) {
            return Err(error(how.kind()));
        }
        Ok(Box::pin(Writing {
            texts: (0..call.call.choices())
                .map(|choice| Text::of(&call.call, choice))
                .collect(),
            call: call.call,
            words: Arc::clone(&self.words),
            end: self.end,
            fault,
            pause: None,
        }))
    }

    async fn probe(&self) -> Result<(), RouteError> {
        Ok(())
    }

    async fn telemetry(&self) -> Result<Telemetry, RouteError> {
        Ok(Telemetry::default())
    }

    async fn models(&self) -> Result<Vec<ModelCard>, RouteError> {
        Ok(Vec::new())
    }
}

fn error(kind: ErrorKind) -> RouteError {
    let retry = match kind {
        ErrorKind::Closed => Retry::OtherEndpointOnce,
        _ => Retry::OtherEndpoint,
    };
    RouteError::new(kind, retry, ApiError::upstream("It failed."))
}

/// One choice as far as it is written.
struct Text {
    seed: i64,
    ids: Vec<u32>,
    written: usize,
    is_over: bool,
}

impl Text {
    fn of(call: &TokenCall, choice: u32) -> Self {
        let seed = call.sampling.seed.unwrap_or_default();
        Self {
            seed: seed.wrapping_add(i64::from(choice)),
            ids: call.prompt.to_vec(),
            written: 0,
            is_over: false,
        }
    }

    /// The next token: what it is depends on the seed and all ids before it.
    fn next(&mut self, words: &[u32], end: Option<u32>, ends: bool) -> u32 {
        let mut hash = 0xcbf2_9ce4_8422_2325 ^ self.seed.unsigned_abs();
        for id in &self.ids {
            hash = (hash ^ u64::from(*id)).wrapping_mul(0x0100_0000_01b3);
        }
        hash ^= hash >> 29;
        let id = match end {
            Some(end) if ends && hash.is_multiple_of(40) => end,
            _ if words.is_empty() => 10 + (hash % 90) as u32,
            _ => words[hash as usize % words.len()],
        };
        self.ids.push(id);
        self.written += 1;
        id
    }
}

/// A call being answered: a token of each choice at a time, with a pause between.
struct Writing {
    texts: Vec<Text>,
    call: Arc<TokenCall>,
    words: Arc<[u32]>,
    end: Option<u32>,
    fault: Option<Fault>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Writing {
    /// Writes one token of each choice; `None` where the fault has come.
    fn write(&mut self, out: &mut Vec<TokenEvent>) {
        let fault = self.fault;
        for (choice, text) in (0..).zip(&mut self.texts) {
            if text.is_over {
                continue;
            }
            let place = fault.map(|fault| fault.place(choice));
            let is_there = place.is_some_and(|place| text.written >= place);
            if is_there && fault.is_some_and(|fault| fault.how == How::ThrowsOut) {
                text.is_over = true;
                out.push(TokenEvent {
                    choice,
                    finish: Some(TokenFinish::Recomputed),
                    ..TokenEvent::default()
                });
                continue;
            }
            let least = self.call.sampling.min_tokens.unwrap_or(0);
            let ends = text.written as u64 >= least;
            let id = text.next(&self.words, self.end, ends);
            let stop = self.end == Some(id) || self.call.sampling.stop_token_ids.contains(&id);
            let finish = if stop && ends {
                Some(TokenFinish::Stop { token: None })
            } else {
                let is_full = text.written as u64 >= self.call.max_tokens;
                is_full.then_some(TokenFinish::Length)
            };
            // An engine that dies after its last token has not said that it was the last.
            let dies = place.is_some_and(|place| text.written >= place);
            let finish = finish.filter(|_| !dies);
            text.is_over = finish.is_some();
            let logprob = IdLogprob {
                id,
                logprob: -f64::from(id),
                top: Vec::new(),
            };
            out.push(TokenEvent {
                choice,
                ids: vec![id],
                logprobs: self.call.logprobs.map(|_| logprob).into_iter().collect(),
                finish,
            });
        }
    }

    fn has_come(&self) -> Option<How> {
        let Fault { after, how } = self.fault?;
        let is_there = |text: &Text| text.written >= after || text.is_over;
        (how != How::ThrowsOut && self.texts.iter().all(is_there)).then_some(how)
    }
}

impl TokenSource for Writing {
    fn poll_more(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Vec<TokenEvent>,
    ) -> Poll<Result<Flow, RouteError>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        if self.texts.iter().all(|text| text.is_over) {
            return Poll::Ready(Ok(Flow::Done));
        }
        match self.has_come() {
            Some(How::Hangs) => Poll::Pending,
            Some(how) => Poll::Ready(Err(error(how.kind()))),
            None => {
                self.write(out);
                self.pause = Some(Box::pin(sleep(Duration::from_millis(10))));
                Poll::Ready(Ok(Flow::More))
            }
        }
    }

    fn usage(&self) -> Option<Usage> {
        None
    }
}
