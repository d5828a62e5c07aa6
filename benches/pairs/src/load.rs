//! An open loop: requests are due at a fixed rate, and count from when they were due.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;

/// Callers. Where all of them wait for an answer, the next request is late, and its wait counts.
const CALLERS: usize = 24;
/// From the start of callers to the first request.
const CONNECTING: Duration = Duration::from_millis(50);
/// The end of each wait is spun: a sleeping thread wakes up to this much late.
const SPIN: Duration = Duration::from_micros(70);

/// Somebody who asks.
pub(crate) trait Ask {
    /// Gets a request ready before it is due.
    ///
    /// # Errors
    /// It cannot be made.
    fn prepare(&mut self, number: u64) -> Result<()>;

    /// Asks and reads the answer to its end; when its first token was there.
    ///
    /// # Errors
    /// Anything but a good answer.
    fn ask(&mut self) -> Result<Instant>;
}

/// Requests `first..first + count`, `every` apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) first: u64,
    pub(crate) count: u64,
    pub(crate) every: Duration,
}

/// Times to the first token, in nanoseconds.
///
/// # Errors
/// Whatever a caller meets with.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(crate) fn open_loop<A: Ask>(
    plan: Plan,
    connect: impl Fn() -> Result<A> + Sync,
) -> Result<Histogram<u64>> {
    let begin = Instant::now() + CONNECTING;
    let next = AtomicU64::new(0);
    let call = || -> Result<Histogram<u64>> {
        let (mut times, mut asker) = (histogram(), connect()?);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= plan.count {
                return Ok(times);
            }
            asker.prepare(plan.first + number)?;
            let due = begin + plan.every.mul_f64(number as f64);
            wait_until(due);
            let first = asker.ask()?;
            let took = first.saturating_duration_since(due).as_nanos();
            times.saturating_record(u64::try_from(took).unwrap_or(u64::MAX));
        }
    };
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(call)).collect();
        let mut all = histogram();
        for caller in callers {
            all.add(caller.join().expect("no panics")?)?;
        }
        Ok(all)
    })
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("valid bounds")
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn wait_until(due: Instant) {
    let left = due.saturating_duration_since(Instant::now());
    if let Some(sleep) = left.checked_sub(SPIN) {
        thread::sleep(sleep);
    }
    while Instant::now() < due {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Noting<'a>(&'a Mutex<Vec<u64>>);

    impl Ask for Noting<'_> {
        fn prepare(&mut self, number: u64) -> Result<()> {
            self.0.lock().expect("no panics").push(number);
            anyhow::ensure!(number < 100, "too far");
            Ok(())
        }

        #[expect(clippy::disallowed_methods, reason = "callers say when it was")]
        fn ask(&mut self) -> Result<Instant> {
            Ok(Instant::now())
        }
    }

    fn plan(count: u64) -> Plan {
        Plan {
            first: 60,
            count,
            every: Duration::from_micros(1),
        }
    }

    #[test]
    fn each_number_is_asked_once_and_a_bad_answer_ends_it() {
        let asked = Mutex::default();
        let times = open_loop(plan(40), || Ok(Noting(&asked))).expect("good answers");
        let mut asked = asked.into_inner().expect("no panics");
        asked.sort_unstable();
        assert_eq!(asked, (60..100).collect::<Vec<_>>());
        assert_eq!(times.len(), 40);
        let others = Mutex::default();
        assert!(open_loop(plan(41), || Ok(Noting(&others))).is_err());
    }
}
