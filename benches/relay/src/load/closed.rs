//! Closed loop: every connection sends the next request when the reply to the last is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::{CONNECTIONS, Client, Prompts, Tally, Target, join_all};
use crate::fault::Fault;

/// Bad replies of one connection after which it stops: a target that refuses everything is not to
/// be hammered.
const MAX_BAD: u64 = 100;

/// When a closed loop ends: whichever comes first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until {
    /// No request is begun after this long.
    pub(crate) length: Duration,
    /// No more requests than this.
    pub(crate) requests: u64,
}

impl Until {
    /// Time alone ends it.
    pub(crate) fn length(length: Duration) -> Self {
        Self {
            length,
            requests: u64::MAX,
        }
    }
}

/// The result of a closed loop.
#[derive(Debug)]
pub(crate) struct Closed {
    /// From the first request to the last reply.
    pub(crate) elapsed: Duration,
    /// What came back.
    pub(crate) tally: Tally,
}

impl Closed {
    /// Good replies a second.
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    pub(crate) fn per_second(&self) -> f64 {
        self.tally.good as f64 / self.elapsed.as_secs_f64()
    }
}

/// Keeps 64 connections busy.
///
/// # Errors
/// The scenario hangs.
pub(crate) async fn closed_loop(
    target: &Target,
    prompts: &Arc<Prompts>,
    until: Until,
) -> Result<Closed, Fault> {
    let began = target.clock.nanos();
    let left = Arc::new(AtomicU64::new(until.requests));
    let mut tasks = JoinSet::new();
    for slot in 0..CONNECTIONS {
        let left = Arc::clone(&left);
        tasks.spawn(work(
            target.clone(),
            slot,
            Arc::clone(prompts),
            left,
            began,
            until.length,
        ));
    }
    let mut tally = Tally::default();
    for part in join_all(tasks, "the closed loop", until.length).await? {
        tally.add(part);
    }
    Ok(Closed {
        elapsed: target.clock.since(began),
        tally,
    })
}

async fn work(
    target: Target,
    slot: usize,
    prompts: Arc<Prompts>,
    left: Arc<AtomicU64>,
    began: u64,
    length: Duration,
) -> Tally {
    let mut client = Client::new(target.address(slot));
    let (mut tally, mut request) = (Tally::default(), Vec::new());
    while target.clock.since(began) < length && tally.bad < MAX_BAD && take(&left) {
        let serial = prompts.write_next(&mut request);
        let reply = client.exchange(&request, serial).await;
        tally.count(reply);
    }
    tally
}

fn take(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
        left.checked_sub(1)
    })
    .is_ok()
}
