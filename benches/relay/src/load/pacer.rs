//! A thread that says when each request of an open loop is due. The runtime's own timer ticks in
//! milliseconds, which would bury the microseconds that are measured here.

use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::fault::Fault;

/// Requests that may be due and not yet sent; a target that far behind has failed, and what is
/// beyond counts as bad.
const BACKLOG: usize = 16 * 1024;
/// The end of each wait is spun: a sleeping thread wakes up to this much late.
const SPIN: Duration = Duration::from_micros(70);

/// Starts a thread that sends `count` due times (readings of `clock`), `every` apart.
///
/// # Errors
/// No thread to be had.
pub(super) fn start(
    clock: Clock,
    every: Duration,
    count: u64,
) -> Result<mpsc::Receiver<u64>, Fault> {
    let (tickets, receiver) = mpsc::channel(BACKLOG);
    let every = u64::try_from(every.as_nanos()).unwrap_or(u64::MAX);
    let first = clock.nanos() + every;
    thread::Builder::new()
        .name("pacer".to_owned())
        .spawn(move || {
            for due in (0..count).map(|index| first + index * every) {
                wait_until(clock, due);
                // Full: the receiver counts what it misses. Closed: the scenario was given up.
                if let Err(mpsc::error::TrySendError::Closed(_)) = tickets.try_send(due) {
                    return;
                }
            }
        })
        .map_err(Fault::io("start the pacer's thread"))?;
    Ok(receiver)
}

fn wait_until(clock: Clock, due_nanos: u64) {
    let left = Duration::from_nanos(due_nanos.saturating_sub(clock.nanos()));
    if let Some(sleep) = left.checked_sub(SPIN) {
        thread::sleep(sleep);
    }
    while clock.nanos() < due_nanos {
        std::hint::spin_loop();
    }
}
