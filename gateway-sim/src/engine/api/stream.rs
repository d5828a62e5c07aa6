//! The one loop that streams, for every dialect.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, stream};
use http::Response;
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::Value;

use super::answer::{CORE_FAILURE, Dialect, Fate, Piece, early};
use super::job::{Job, Usage};
use crate::engine::error::ApiError;
use crate::engine::faults::{FaultKind, FaultSpec};
use crate::engine::server::reply::{self, Body};
use crate::engine::shell::Shell;
use crate::engine::ticket::Ticket;

/// An event that breaks off in the middle of its JSON.
const BROKEN_EVENT: &[u8] = b"data: \x7b\"choices\":[\x7b\"index\":0,\"delta\":\x7b\"cont\n\n";

/// A reply on its way. Dropped with the connection, and its ticket with it.
pub(super) struct Streamer {
    pub(super) shell: Arc<Shell>,
    pub(super) job: Job,
    pub(super) dialect: Box<dyn Dialect>,
    pub(super) ticket: Ticket,
    pub(super) fate: Option<Fate>,
    /// Tokens sent of each choice.
    sent: Vec<usize>,
    is_opened: Vec<bool>,
    /// Whose turn it is, so that choices alternate.
    turn: usize,
    chunks: u32,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Tokens,
    Usage,
    Done,
    Ended,
}

/// A part of a reply, or its breaking off.
pub(super) type Chunk = Result<Frame<Bytes>, io::Error>;

impl Streamer {
    pub(super) fn new(
        shell: Arc<Shell>,
        job: Job,
        dialect: Box<dyn Dialect>,
        ticket: Ticket,
        fate: Option<Fate>,
    ) -> Self {
        let choices = job.choices.len();
        Self {
            shell,
            job,
            dialect,
            ticket,
            fate,
            sent: vec![0; choices],
            is_opened: vec![false; choices],
            turn: 0,
            chunks: 0,
            phase: Phase::Tokens,
        }
    }

    /// Leaves out what another engine has sent of the only answer: what comes before it, and so many tokens.
    pub(super) fn skip(&mut self, tokens: usize) {
        let tokens = tokens.min(self.job.choices[0].plan.len());
        self.sent[0] = tokens;
        self.is_opened[0] = tokens > 0;
        self.turn = 1;
    }

    /// Tokens of the only answer that were sent.
    pub(super) fn written(&self) -> usize {
        self.sent[0]
    }

    /// Tokens of it that were not.
    pub(super) fn left(&self) -> usize {
        self.job.choices[0].plan.len().saturating_sub(self.sent[0])
    }

    /// The next token of the only answer, whether the model has it or not, with all that comes before it, and behind it
    /// where it is the last one.
    pub(super) fn one_token(&mut self) -> Bytes {
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.is_opened[0], true)
            && let Some(opening) = self.dialect.opening(&self.job, 0)
        {
            out.extend_from_slice(&self.with_usage(0, opening));
        }
        if let Some(chunk) = self.advance(0) {
            out.extend_from_slice(&self.with_usage(0, chunk));
        }
        while self.phase != Phase::Tokens
            && let Some(chunk) = self.ready()
        {
            out.extend_from_slice(&chunk);
        }
        out.into()
    }

    pub(super) fn into_response(self) -> Response<Body> {
        reply::event_stream(StreamBody::new(self.into_stream()))
    }

    pub(super) fn into_stream(self) -> impl Stream<Item = Chunk> + Send + 'static {
        stream::unfold(self, |mut streamer| async {
            let chunk = streamer.next().await?;
            Some((chunk, streamer))
        })
    }

    async fn next(&mut self) -> Option<Chunk> {
        loop {
            if self.shell.is_frozen() {
                std::future::pending::<()>().await;
            }
            if let Some(fate) = self.due_fate() {
                return self.suffer(fate.kind).await;
            }
            if let Some(chunk) = self.ready() {
                self.chunks += 1;
                return Some(Ok(Frame::data(chunk)));
            }
            if self.phase == Phase::Ended {
                return None;
            }
            self.ticket.changed().await;
        }
    }

    /// What goes wrong now: after as many chunks as ordered, or at the latest before the end.
    fn due_fate(&mut self) -> Option<Fate> {
        let is_due = |fate: &mut Fate| self.chunks >= fate.after || self.phase == Phase::Done;
        self.fate.take_if(is_due)
    }

    async fn suffer(&mut self, kind: FaultKind) -> Option<Chunk> {
        let chunk = match kind {
            FaultKind::ErrorChunk => {
                self.phase = Phase::Done;
                let failure = ApiError::internal(CORE_FAILURE);
                self.dialect
                    .frame(&self.dialect.failure(&self.job, &failure))
            }
            FaultKind::DieMidStream => {
                self.shell.inject(FaultSpec::new(FaultKind::Die));
                return std::future::pending().await;
            }
            FaultKind::AbortStream | FaultKind::Recomputed => {
                self.phase = Phase::Done;
                let at = self.sent[0];
                let end = Piece {
                    choice: 0,
                    tokens: at..at,
                    finish: Some(early(kind)),
                    cached_tokens: self.ticket.progress_of(0).cached_tokens,
                };
                let chunk = self.dialect.piece(&self.job, &end);
                chunk
                    .map(|chunk| self.dialect.frame(&chunk))
                    .unwrap_or_default()
            }
            FaultKind::MalformedSse => Bytes::from_static(BROKEN_EVENT),
            FaultKind::DropStream => {
                self.phase = Phase::Ended;
                return Some(Err(io::ErrorKind::ConnectionReset.into()));
            }
            _ => return std::future::pending().await,
        };
        Some(Ok(Frame::data(chunk)))
    }

    /// The next chunk, if there is something to say.
    fn ready(&mut self) -> Option<Bytes> {
        match self.phase {
            Phase::Tokens => match self.ready_piece() {
                // The last token had nothing to tell.
                None if self.phase != Phase::Tokens => self.ready(),
                chunk => chunk,
            },
            Phase::Usage => {
                self.phase = Phase::Done;
                let usage = self
                    .job
                    .usage(&self.ticket.progress(), self.sent.iter().copied());
                let chunk = self.dialect.usage_chunk(&self.job, usage);
                Some(self.dialect.frame(&chunk))
            }
            Phase::Done => {
                self.phase = Phase::Ended;
                let closing = self.dialect.closing();
                (!closing.is_empty()).then(|| Bytes::from_static(closing))
            }
            Phase::Ended => None,
        }
    }

    fn ready_piece(&mut self) -> Option<Bytes> {
        loop {
            let choices = self.job.choices.len();
            let choice = (self.turn..self.turn + choices)
                .map(|turn| turn % choices)
                .find(|choice| self.ticket.progress_of(*choice).tokens > self.sent[*choice])?;
            if !std::mem::replace(&mut self.is_opened[choice], true)
                && let Some(opening) = self.dialect.opening(&self.job, choice)
            {
                return Some(self.with_usage(choice, opening));
            }
            if let Some(chunk) = self.advance(choice) {
                return Some(self.with_usage(choice, chunk));
            }
        }
    }

    /// Sends the next token of a choice; gives its chunk, if it has one.
    fn advance(&mut self, choice: usize) -> Option<Value> {
        self.turn = choice + 1;
        let at = self.sent[choice];
        self.sent[choice] = at + 1;
        let plan = &self.job.choices[choice].plan;
        let finish = (at + 1 == plan.len()).then(|| plan.finish.clone());
        let piece = Piece {
            choice,
            tokens: at..at + 1,
            finish,
            cached_tokens: self.ticket.progress_of(choice).cached_tokens,
        };
        let chunk = self.dialect.piece(&self.job, &piece);
        if self.is_complete() {
            self.phase = if self.job.delivery.includes_usage {
                Phase::Usage
            } else {
                Phase::Done
            };
        }
        chunk
    }

    fn is_complete(&self) -> bool {
        self.job
            .choices
            .iter()
            .zip(&self.sent)
            .all(|(choice, sent)| choice.plan.len() == *sent)
    }

    /// Adds the account of this choice so far, where every chunk shall have it.
    fn with_usage(&self, choice: usize, mut chunk: Value) -> Bytes {
        let delivery = self.job.delivery;
        if delivery.includes_usage && delivery.repeats_usage {
            let prompt = self.job.prompts[self.job.choices[choice].prompt].len();
            let usage = Usage {
                prompt,
                completion: self.sent[choice],
                cached: 0,
            };
            chunk["usage"] = usage.to_json(false);
        }
        self.dialect.frame(&chunk)
    }
}
