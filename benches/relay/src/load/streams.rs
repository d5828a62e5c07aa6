//! 64 concurrent streams, begun one after another so that they do not beat in step.

use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::client::StreamTimes;
use super::{CONNECTIONS, Client, Prompts, Tally, Target, histogram, join_all};
use crate::fault::Fault;

/// From the begin of one slot to the next; not a divisor of the engine's 10 ms.
const STAGGER: Duration = Duration::from_micros(2_170);
/// Longest a single stream may take on a machine that is badly behind.
const STREAM_LIMIT: Duration = Duration::from_secs(10);

/// The result of a stream load.
#[derive(Debug)]
pub(crate) struct Streams {
    /// Nanoseconds from request to first content chunk.
    pub(crate) first_chunk: Histogram<u64>,
    /// Nanoseconds from the engine's write of a chunk to its arrival.
    pub(crate) transit: Histogram<u64>,
    /// What came back, in streams.
    pub(crate) tally: Tally,
}

/// Runs `per_slot` streams one after another in each of 64 slots.
///
/// # Errors
/// The scenario hangs.
pub(crate) async fn stream_load(
    target: &Target,
    prompts: &Arc<Prompts>,
    per_slot: usize,
) -> Result<Streams, Fault> {
    let mut tasks = JoinSet::new();
    for slot in 0..CONNECTIONS {
        tasks.spawn(work(target.clone(), slot, Arc::clone(prompts), per_slot));
    }
    let length = STREAM_LIMIT * u32::try_from(per_slot).unwrap_or(u32::MAX);
    let (mut times, mut tally) = (Vec::new(), Tally::default());
    for (some, counted) in join_all(tasks, "the stream load", length).await? {
        times.extend(some);
        tally.add(counted);
    }
    Ok(Streams {
        first_chunk: histogram(times.iter().map(|stream| stream.first_chunk)),
        transit: histogram(
            times
                .iter()
                .flat_map(|stream| stream.transits.iter().copied()),
        ),
        tally,
    })
}

async fn work(
    target: Target,
    slot: usize,
    prompts: Arc<Prompts>,
    per_slot: usize,
) -> (Vec<StreamTimes>, Tally) {
    tokio::time::sleep(STAGGER * u32::try_from(slot).expect("64 slots")).await;
    let mut client = Client::new(target.address(slot));
    let (mut times, mut tally, mut request) = (Vec::new(), Tally::default(), Vec::new());
    for _ in 0..per_slot {
        let serial = prompts.write_next(&mut request);
        let reply = client.stream(&request, serial, target.clock).await;
        times.extend(tally.count(reply));
    }
    (times, tally)
}
