//! How long a stream may be silent, and how long it may last.

use std::{future::Future, pin::Pin, task::Context, time::Duration};

use gateway_core::Timestamp;
use tokio::time::{Instant, Sleep, sleep};

use super::flight::Flight;
use crate::{ErrorKind, Retry, RouteError};

/// How long the end of an exchange may take once its answer is whole; after that the connection is closed.
const END_AFTER_DONE: Duration = Duration::from_millis(250);

/// How long a stream may be silent, and how long it may last from here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) idle: Duration,
    pub(super) total: Duration,
}

/// One timer for the whole stream: it is not reset per chunk, but looks, when it fires, how long the silence really was.
#[derive(Debug)]
pub(super) struct Silence {
    timer: Pin<Box<Sleep>>,
    idle: Duration,
    last_chunk: Timestamp,
    ends_at: Timestamp,
}

impl Silence {
    pub(super) fn begin(now: Timestamp, patience: Patience) -> Self {
        Self {
            timer: Box::pin(sleep(patience.idle.min(patience.total))),
            idle: patience.idle,
            last_chunk: now,
            ends_at: now.after(patience.total),
        }
    }

    /// When something last came.
    pub(super) fn last_chunk(&self) -> Timestamp {
        self.last_chunk
    }

    /// Something has come: the gap before it goes to the report.
    pub(super) fn broken(&mut self, flight: &mut Flight) {
        let now = flight.now();
        flight.heard(now);
        let gap = now.since(self.last_chunk);
        if gap > Duration::ZERO {
            let micros = u64::try_from(gap.as_micros()).unwrap_or(u64::MAX);
            flight.report.gaps.add(micros);
        }
        self.last_chunk = now;
    }

    /// The answer is whole; what is left is the end of the exchange.
    pub(super) fn wait_for_end(&mut self) {
        self.timer.as_mut().reset(Instant::now() + END_AFTER_DONE);
    }

    /// After [`wait_for_end`](Self::wait_for_end): whether the wait has been long enough.
    pub(super) fn has_waited(&mut self, cx: &mut Context<'_>) -> bool {
        self.timer.as_mut().poll(cx).is_ready()
    }

    /// The error of a stream that has lasted, or been silent, for too long.
    pub(super) fn overdue(&mut self, cx: &mut Context<'_>, flight: &Flight) -> Option<RouteError> {
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = flight.now();
            let total_left = self.ends_at.since(now);
            let idle_left = self.idle.saturating_sub(now.since(self.last_chunk));
            let (kind, message) = if total_left.is_zero() {
                let message = "The request took longer than it may in all.";
                (ErrorKind::OutOfTime, message)
            } else if idle_left.is_zero() {
                (ErrorKind::Timeout, "The engine's stream fell silent.")
            } else {
                let next = Instant::now() + idle_left.min(total_left);
                self.timer.as_mut().reset(next);
                continue;
            };
            return Some(RouteError::engine(kind, Retry::Never, message));
        }
        None
    }
}
