//! Answers in token ids.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use gateway_router::{
    RouteError,
    engine::{Flow, TokenSource},
    proto::{engines::TokenEvent, ir::Usage},
};

use super::{
    condition::Strike,
    errors,
    writer::{Writing, Wrote},
};

/// An answer as its reader gets it.
pub(super) struct Tokens {
    writing: Writing,
    usage: Usage,
    /// What the engine counts is told with the end, if at all.
    tells_usage: bool,
    is_whole: bool,
}

impl Tokens {
    pub(super) fn of(writing: Writing, prompt_tokens: u64, tells_usage: bool) -> Self {
        Self {
            writing,
            usage: Usage {
                prompt_tokens,
                ..Usage::default()
            },
            tells_usage,
            is_whole: false,
        }
    }
}

/// What a client makes of a piece that is no tokens.
pub(super) fn end_of(piece: Option<&Wrote>) -> Result<Flow, RouteError> {
    match piece {
        Some(Wrote::End) => Ok(Flow::Done),
        Some(Wrote::Tokens(_)) => Ok(Flow::More),
        Some(Wrote::Killed { begun: false }) => Err(errors::closed()),
        Some(Wrote::Struck(Strike::ErrorEvent | Strike::Abort | Strike::Recompute)) => {
            Err(errors::failed())
        }
        Some(Wrote::Killed { begun: true } | Wrote::Struck(Strike::Drop)) | None => {
            Err(errors::broken())
        }
    }
}

impl TokenSource for Tokens {
    fn poll_more(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Vec<TokenEvent>,
    ) -> Poll<Result<Flow, RouteError>> {
        let piece = ready!(self.writing.pieces.poll_recv(cx));
        if let Some(Wrote::Tokens(events)) = piece {
            let ids = events.iter().map(|event| event.ids.len() as u64);
            self.usage.completion_tokens += ids.sum::<u64>();
            out.extend(events);
            return Poll::Ready(Ok(Flow::More));
        }
        self.is_whole = matches!(piece, Some(Wrote::End));
        Poll::Ready(end_of(piece.as_ref()))
    }

    fn poll_rest(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        while ready!(self.writing.pieces.poll_recv(cx)).is_some() {}
        Poll::Ready(())
    }

    fn usage(&self) -> Option<Usage> {
        (self.is_whole && self.tells_usage).then_some(self.usage)
    }
}
