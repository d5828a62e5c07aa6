//! The load generator: open loop, closed loop, streams. Bounded in time and in requests; every
//! reply checked.

mod check;
mod client;
mod closed;
mod open;
mod pacer;
mod prompts;
mod streams;
mod tally;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::fault::Fault;

pub(crate) use check::ReplyFault;
pub(crate) use client::Client;
pub(crate) use closed::{Closed, Until, closed_loop};
pub(crate) use open::open_loop;
pub(crate) use prompts::{Kind, Prompts, Serials};
pub(crate) use streams::stream_load;
pub(crate) use tally::Tally;

/// Concurrent connections of every scenario.
pub(crate) const CONNECTIONS: usize = 64;
/// The API key every request carries.
pub(crate) const KEY: &str = "sk-bench-0123456789abcdef";

/// A scenario that is not over this long after its end hangs.
const GRACE: Duration = Duration::from_secs(15);

/// Where the load goes, and the clock it is timed with.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// One relay, or the engines themselves; connections take turns.
    pub(crate) addresses: Vec<SocketAddr>,
    /// Shared with the engine.
    pub(crate) clock: Clock,
}

impl Target {
    /// The address of connection number `slot`.
    pub(crate) fn address(&self, slot: usize) -> SocketAddr {
        self.addresses[slot % self.addresses.len()]
    }
}

/// A histogram of these nanoseconds, to three digits.
fn histogram(nanos: impl IntoIterator<Item = u64>) -> Histogram<u64> {
    let mut histogram = Histogram::new(3).expect("three digits are allowed");
    for nanos in nanos {
        histogram.record(nanos).expect("the histogram grows");
    }
    histogram
}

/// Waits for all `tasks`, each of which keeps to `length`.
async fn join_all<T: 'static>(
    mut tasks: JoinSet<T>,
    scenario: &'static str,
    length: Duration,
) -> Result<Vec<T>, Fault> {
    let limit = length + GRACE;
    let mut results = Vec::with_capacity(tasks.len());
    let all = async {
        while let Some(result) = tasks.join_next().await {
            results.push(result.expect("load tasks neither panic nor are aborted"));
        }
    };
    let in_time = tokio::time::timeout(limit, all).await.is_ok();
    in_time.then_some(results).ok_or(Fault::Overtime {
        scenario,
        seconds: limit.as_secs(),
    })
}
