//! One request's part of the answer, between the task that reads and the caller who takes.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use gateway_proto::engines::transfer::mindie::What;

/// Bytes that may wait for a caller. A whole answer in one piece is taken whatever its size.
pub(super) const WAITING_BYTES: usize = 1 << 20;

/// What a part costs besides its bytes.
const PART_BYTES: usize = 64;

/// Why nothing more comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The engine's answer to all broke off.
    Link,
    /// So much waited to be taken that the rest was not waited for.
    TooSlow,
}

/// A queue for one reader.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    parts: VecDeque<(What, Bytes)>,
    waiting_bytes: usize,
    lost: Option<Lost>,
    reader: Option<Waker>,
}

impl Slot {
    /// Adds a part; whether there was room. What ends the answer always has some.
    pub(super) fn put(&self, what: What, body: Bytes) -> bool {
        let mut state = self.state();
        let cost = body.len() + PART_BYTES;
        let has_room = what != What::Data
            || state.parts.is_empty()
            || state.waiting_bytes.saturating_add(cost) <= WAITING_BYTES;
        if has_room {
            state.waiting_bytes += cost;
            state.parts.push_back((what, body));
        } else {
            state.lost = Some(Lost::TooSlow);
        }
        wake(state);
        has_room
    }

    /// Nothing more comes after what waits.
    pub(super) fn lose(&self, lost: Lost) {
        let mut state = self.state();
        state.lost.get_or_insert(lost);
        wake(state);
    }

    pub(super) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Result<(What, Bytes), Lost>> {
        let mut state = self.state();
        if let Some((what, body)) = state.parts.pop_front() {
            state.waiting_bytes -= body.len() + PART_BYTES;
            return Poll::Ready(Ok((what, body)));
        }
        match state.lost {
            Some(lost) => Poll::Ready(Err(lost)),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the reader once the lock is free.
fn wake(mut state: MutexGuard<'_, State>) {
    let reader = state.reader.take();
    drop(state);
    if let Some(reader) = reader {
        reader.wake();
    }
}
