//! Open loop: requests leave at a fixed rate whatever comes back.

use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::{CONNECTIONS, Client, Prompts, Tally, Target, histogram, join_all, pacer};
use crate::clock::Clock;
use crate::fault::Fault;

/// The result of an open loop.
#[derive(Debug)]
pub(crate) struct Open {
    /// Nanoseconds from the moment a request was due to its checked reply. A request that waits for
    /// a free connection goes on aging, so a stall shows in full (no coordinated omission).
    pub(crate) latency: Histogram<u64>,
    /// What came back.
    pub(crate) tally: Tally,
}

/// Sends `rate` requests a second for `length`.
///
/// # Errors
/// The scenario hangs, or no thread is to be had.
pub(crate) async fn open_loop(
    target: &Target,
    prompts: &Arc<Prompts>,
    rate: u32,
    length: Duration,
) -> Result<Open, Fault> {
    let every = Duration::from_secs(1) / rate;
    let count = u64::try_from(length.as_nanos() / every.as_nanos()).unwrap_or(u64::MAX);
    let mut clients = Vec::new();
    for slot in 0..CONNECTIONS {
        clients.push(Client::connected(target.address(slot)).await);
    }
    let tickets = Arc::new(Mutex::new(pacer::start(target.clock, every, count)?));
    let mut tasks = JoinSet::new();
    for client in clients {
        tasks.spawn(work(
            client,
            target.clock,
            Arc::clone(prompts),
            Arc::clone(&tickets),
        ));
    }
    let (mut latencies, mut tally) = (Vec::new(), Tally::default());
    for (some, counted) in join_all(tasks, "the open loop", length).await? {
        latencies.extend(some);
        tally.add(counted);
    }
    let answered = tally.good + tally.bad;
    // What the pacer could not queue was never sent.
    tally.bad += count.saturating_sub(answered);
    Ok(Open {
        latency: histogram(latencies),
        tally,
    })
}

/// One connection: takes the next due time, sends, waits for the reply.
async fn work(
    mut client: Client,
    clock: Clock,
    prompts: Arc<Prompts>,
    tickets: Arc<Mutex<mpsc::Receiver<u64>>>,
) -> (Vec<u64>, Tally) {
    let (mut latencies, mut tally, mut request) = (Vec::new(), Tally::default(), Vec::new());
    loop {
        let ticket = tickets.lock().await.recv().await;
        let Some(due) = ticket else {
            return (latencies, tally);
        };
        let serial = prompts.write_next(&mut request);
        let reply = client.exchange(&request, serial).await;
        if tally.count(reply).is_some() {
            latencies.push(clock.nanos().saturating_sub(due));
        }
    }
}
