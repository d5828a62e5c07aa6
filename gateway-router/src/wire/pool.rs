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
    ///
    /// Each time the oldest idle one is looked at too: under light load nobody else would ever notice that the engine has
    /// closed it, and its socket would stay.
    pub(crate) fn give_back(&self, mut connection: Connection) {
        if !connection.is_idle() {
            return;
        }
        let mut shard = self.shard();
        if shard.first_mut().is_some_and(|oldest| !oldest.is_idle()) {
            shard.remove(0);
        }
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn sockets_that_the_engine_closed_do_not_stay_beneath_those_in_use() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let pool = Pool::new(
            Target::parse(&format!("http://{address}")).expect("valid"),
            8,
        );
        let patience = Duration::from_secs(5);
        let mut engine_side = Vec::new();
        for _ in 0..3 {
            let connection = pool.open(patience).await.expect("it listens");
            engine_side.push(listener.accept().await.expect("it was dialled").0);
            pool.give_back(connection);
        }
        assert_eq!(pool.shard().len(), 3);
        engine_side.drain(..2);
        let in_turn = async {
            while pool.shard().len() > 1 {
                let newest = pool.idle().expect("the last one lives");
                pool.give_back(newest);
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), in_turn)
            .await
            .expect("the closed ones go");
        assert!(pool.idle().is_some());
    }
}
