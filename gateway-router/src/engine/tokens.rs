//! Token ids in, token ids out: what an engine client takes and gives.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use gateway_proto::{
    engines::{TokenCall, TokenEvent, transfer::LegEdit},
    ir::Usage,
};
use http::HeaderMap;

use crate::{Deadlines, RouteError};

/// A call for tokens as it goes to an engine.
#[derive(Clone, Debug)]
pub struct GenerateCall {
    /// What is asked; shared by all attempts.
    pub call: Arc<TokenCall>,
    /// What this leg of a pair says besides.
    pub edit: Option<LegEdit>,
    /// Headers to pass on.
    pub headers: HeaderMap,
    /// How long a new connection may take.
    pub deadlines: Deadlines,
    /// The largest event of the engine's stream, in bytes.
    pub event_bytes: usize,
}

/// An engine's answer while it comes. Dropping it tells the engine that nobody listens any more.
pub trait TokenSource: Send {
    /// Appends what has come to `out`: at least one event, unless it has ended.
    ///
    /// An error is the stream's end; events appended before it stand.
    fn poll_more(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Vec<TokenEvent>,
    ) -> Poll<Result<Flow, RouteError>>;

    /// After [`Flow::Done`]: waits for what is left of the exchange, so that its connection serves again.
    fn poll_rest(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// What the engine has counted so far; most count at the end only.
    fn usage(&self) -> Option<Usage>;
}

/// How a stream of tokens goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// More may come.
    More,
    /// All has come.
    Done,
}

/// A boxed [`TokenSource`].
pub type BoxTokens = Pin<Box<dyn TokenSource>>;
