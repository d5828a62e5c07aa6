//! The patience with a client that no longer takes what is written to it.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Sleep, sleep};

/// Measures how long writes to one socket have made no headway.
#[derive(Debug)]
pub(super) struct Stall {
    limit: Duration,
    /// Runs while a write is pending; most sockets never need it.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, timer: None }
    }

    /// A write went through.
    pub(super) fn end(&mut self) {
        self.timer = None;
    }

    /// A write is pending: ready once writes have been for as long as the limit.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        timer.as_mut().poll(cx)
    }
}
