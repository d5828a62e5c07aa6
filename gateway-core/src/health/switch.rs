//! The machine that takes an endpoint out and lets it try again.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use super::{Availability, HealthPolicy, Outcome, Probe};
use crate::{Rng, Timestamp};

const DOWN: u64 = 1;
const DRAINING: u64 = 2;
const GONE: u64 = 4;

#[derive(Debug, Default)]
struct Streaks {
    failed_probes: u32,
    failed_requests: u32,
    open_for: Duration,
    /// A request was let through to see whether the engine is back.
    on_trial: bool,
}

/// Probes and breaker of one endpoint. Reading is two atomic loads; only ends of requests and probes take its lock.
#[derive(Debug, Default)]
pub(crate) struct HealthSwitch {
    flags: AtomicU64,
    /// Microseconds until which the breaker is open; 0 where it is closed.
    open_until: AtomicU64,
    /// Microseconds until the next probe; 0 where nobody has said.
    next_probe: AtomicU64,
    streaks: Mutex<Streaks>,
    /// Sets the jitter of one endpoint apart from that of another.
    salt: u64,
}

impl HealthSwitch {
    pub(crate) fn salted(salt: u64) -> Self {
        Self {
            salt,
            ..Self::default()
        }
    }

    pub(crate) fn availability(&self, now: Timestamp) -> Availability {
        let flags = self.flags.load(Relaxed);
        if flags & DRAINING != 0 {
            Availability::Draining
        } else if flags & DOWN != 0 {
            Availability::Down
        } else if self.open_until.load(Relaxed) > now.as_micros() {
            Availability::Open
        } else {
            Availability::Up
        }
    }

    /// Whether probes say that nobody is there.
    pub(crate) fn is_gone(&self) -> bool {
        self.flags.load(Relaxed) & GONE != 0
    }

    /// When it may be up again where it is out, as far as that is known.
    pub(crate) fn back_in(&self, now: Timestamp) -> Option<Duration> {
        let until = match self.availability(now) {
            Availability::Up | Availability::Panic | Availability::Draining => 0,
            Availability::Down => self.next_probe.load(Relaxed),
            Availability::Open => self.open_until.load(Relaxed),
        };
        (until != 0).then(|| Timestamp::from_micros(until).since(now))
    }

    pub(crate) fn probes_next(&self, at: Timestamp) {
        self.next_probe.store(at.as_micros(), Relaxed);
    }

    /// A probe has ended. Says whether the endpoint is back from the dead.
    pub(crate) fn probed(&self, policy: &HealthPolicy, probe: Probe, now: Timestamp) -> bool {
        let mut streaks = self.streaks();
        if probe != Probe::Well {
            streaks.failed_probes = streaks.failed_probes.saturating_add(1);
            if streaks.failed_probes >= policy.down_after {
                let is_gone = probe == Probe::Gone;
                self.flags
                    .fetch_or(DOWN | if is_gone { GONE } else { 0 }, Relaxed);
                if !is_gone {
                    self.flags.fetch_and(!GONE, Relaxed);
                }
            }
            return false;
        }
        streaks.failed_probes = 0;
        let was_down = self.flags.fetch_and(!(DOWN | GONE), Relaxed) & DOWN != 0;
        // Let one trial through at once instead of waiting out an old sentence.
        if was_down && self.open_until.load(Relaxed) != 0 {
            streaks.on_trial = false;
            self.open_until.store(now.as_micros(), Relaxed);
        }
        was_down
    }

    /// A request has ended. Says whether the breaker closed with it.
    pub(crate) fn finished(&self, policy: &HealthPolicy, outcome: Outcome, now: Timestamp) -> bool {
        match outcome {
            Outcome::Neutral => false,
            Outcome::Served => self.close(),
            Outcome::Failed => {
                self.failed(policy, now);
                false
            }
        }
    }

    fn close(&self) -> bool {
        let mut streaks = self.streaks();
        if streaks.failed_requests == 0 {
            return false;
        }
        streaks.failed_requests = 0;
        streaks.open_for = Duration::ZERO;
        streaks.on_trial = false;
        self.open_until.swap(0, Relaxed) != 0
    }

    fn failed(&self, policy: &HealthPolicy, now: Timestamp) {
        let mut streaks = self.streaks();
        streaks.failed_requests = streaks.failed_requests.saturating_add(1);
        let is_open = self.open_until.load(Relaxed) != 0;
        // What was sent before it opened, or in panic, fails too and says nothing new.
        if streaks.failed_requests < policy.open_after || (is_open && !streaks.on_trial) {
            return;
        }
        streaks.on_trial = false;
        let doubled = streaks.open_for.saturating_mul(2);
        // Not `clamp`: nobody has checked that the bounds are in order.
        streaks.open_for = doubled.min(policy.open_at_most).max(policy.open_for);
        let mut rng = Rng::from_seed(self.salt ^ now.as_micros());
        let jitter = f64::from(policy.jitter_percent.min(100)) / 100.0;
        let seconds = streaks.open_for.as_secs_f64() * (1.0 + jitter * (2.0 * rng.unit() - 1.0));
        let span = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        self.open_until.store(now.after(span).as_micros(), Relaxed);
    }

    /// Whoever is booked on a half-open endpoint is its trial: others keep away until the trial has had its time.
    pub(crate) fn trial_started(&self, now: Timestamp) {
        let is_due = |open_until: u64| open_until != 0 && open_until <= now.as_micros();
        if !is_due(self.open_until.load(Relaxed)) {
            return;
        }
        let mut streaks = self.streaks();
        if is_due(self.open_until.load(Relaxed)) {
            streaks.on_trial = true;
            let span = streaks.open_for;
            self.open_until.store(now.after(span).as_micros(), Relaxed);
        }
    }

    pub(crate) fn set_draining(&self, draining: bool) {
        if draining {
            self.flags.fetch_or(DRAINING, Relaxed);
        } else {
            self.flags.fetch_and(!DRAINING, Relaxed);
        }
    }

    fn streaks(&self) -> MutexGuard<'_, Streaks> {
        self.streaks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
