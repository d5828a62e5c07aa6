//! Idle connections to one engine.

use std::{
    cell::Cell,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use super::{Connection, SendError, Target};

/// More shards than this would only scatter connections.
const SHARDS: usize = 64;

static NEXT_SHARD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SHARD: Cell<usize> = Cell::new(NEXT_SHARD.fetch_add(1, Relaxed) % SHARDS);
}

/// A bounded stack of idle connections per thread: a connection is used again where its socket is polled, so threads
/// with runtimes of their own do not wake one another. The last one in is the first one out, as it is the least likely
/// to have been closed by the engine.
pub(crate) struct Pool {
    target: Target,
    shards: Box<[Mutex<Vec<Connection>>]>,
    idle_at_most: usize,
}

impl Pool {
    pub(crate) fn new(target: Target, idle_at_most: usize) -> Self {
        Self {
            target,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            idle_at_most,
        }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// An idle connection that still lives.
    pub(crate) fn idle(&self) -> Option<Connection> {
        let mut shard = self.shard();
        while let Some(mut connection) = shard.pop() {
            if connection.is_idle() {
                connection.mark_reused();
                return Some(connection);
            }
        }
        None
    }

    /// A new connection.
    pub(crate) async fn open(&self, patience: Duration) -> Result<Connection, SendError> {
        Connection::open(&self.target, patience).await
    }

    /// Takes a connection back; closes it where it is spent or there are enough.
    pub(crate) fn give_back(&self, mut connection: Connection) {
        if !connection.is_idle() {
            return;
        }
        let mut shard = self.shard();
        if shard.len() < self.idle_at_most {
            shard.push(connection);
        }
    }

    fn shard(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        let at = SHARD.with(Cell::get);
        self.shards[at]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
