//! Work on prompts that is too long for the threads that serve connections.

use std::sync::{Arc, LazyLock};

use gateway_proto::error::ApiError;
use tokio::{sync::Semaphore, task};

use crate::{ErrorKind, Retry, RouteError};

/// Prompts above this many bytes are worked on off the thread that serves connections.
const LONG_PROMPT_BYTES: usize = 32 << 10;

/// Long prompts that are worked on at a time, in the whole process; further ones wait their turn.
const AT_A_TIME: usize = 16;

static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(AT_A_TIME)));

/// Renders or encodes a prompt of `prompt_bytes`: at once where it is short, else on a thread for such work, a bounded
/// number at a time.
///
/// The bound is on the work itself. Work that has begun goes on when its caller leaves, and keeps its turn until it ends.
///
/// # Errors
/// Where `work` panicked.
pub async fn in_turn<T: Send + 'static>(
    prompt_bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RouteError> {
    if prompt_bytes < LONG_PROMPT_BYTES {
        return Ok(work());
    }
    let turn = Arc::clone(&TURNS).acquire_owned().await;
    let done = task::spawn_blocking(move || {
        let _turn = turn.expect("nobody closes it");
        work()
    });
    let internal = || RouteError::new(ErrorKind::Internal, Retry::Never, ApiError::internal());
    done.await.map_err(|_| internal())
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::mpsc};

    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn short_work_is_done_on_the_spot() {
        let here = std::thread::current().id();
        let there = in_turn(10, || std::thread::current().id()).await;
        assert_eq!(there.expect("no panic"), here);
    }

    #[tokio::test]
    async fn work_keeps_its_turn_when_its_caller_has_left() {
        let (begun, has_begun) = mpsc::sync_channel(1);
        let (leave, stays) = mpsc::sync_channel::<()>(1);
        {
            let work = in_turn(LONG_PROMPT_BYTES, move || {
                begun.send(()).expect("the test waits");
                stays.recv().expect_err("nothing is said");
            });
            assert!(poll!(pin!(work)).is_pending());
        }
        let heard = task::spawn_blocking(move || has_begun.recv()).await;
        heard.expect("no panic").expect("it runs");
        assert!(TURNS.available_permits() < AT_A_TIME);
        drop(leave);
        let all = TURNS.acquire_many(AT_A_TIME as u32).await;
        assert_eq!(all.expect("open").num_permits(), AT_A_TIME);
    }
}
