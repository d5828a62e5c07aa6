//! Health of an endpoint: active probes, passive failure counting, draining.
//!
//! Two witnesses, neither enough alone: an engine that drains or whose core died may answer its health route with 200
//! while every request fails, and an engine with a slow health route may serve well. So an endpoint is used only while
//! probes have not failed [`HealthPolicy::down_after`] times in a row **and** its own failures have not opened the
//! breaker. An open breaker lets one trial request through each time its waiting time, doubled on every failure up to
//! [`HealthPolicy::open_at_most`], has passed.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::Timestamp;

/// When an endpoint is taken out and when it may try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    /// Failed probes in a row that take an endpoint out.
    pub down_after: u32,
    /// Failed requests in a row that open the breaker.
    pub open_after: u32,
    /// How long the breaker first stays open.
    pub open_for: Duration,
    /// The longest it stays open.
    pub open_at_most: Duration,
}

impl Default for HealthPolicy {
    fn default() -> Self {
        Self {
            down_after: 2,
            open_after: 3,
            open_for: Duration::from_secs(1),
            open_at_most: Duration::from_secs(30),
        }
    }
}

/// How a request ended, as far as the engine's health goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The engine did its work.
    Served,
    /// The engine failed: no connection, a reset, a 5xx, a stream that froze or broke.
    Failed,
    /// Says nothing about the engine: the caller's own error, a cancelled request, a busy engine.
    Neutral,
}

/// Whether an endpoint may be given a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// In use. Endpoints that were never probed count as up: the first requests must not wait for a probe.
    Up,
    /// Probes fail.
    Down,
    /// The breaker is open.
    Open,
    /// Out of rotation by an operator's word; requests in flight go on.
    Draining,
}

impl Availability {
    /// Whether new requests may go there.
    #[must_use]
    pub fn is_up(self) -> bool {
        self == Self::Up
    }
}

const DOWN: u64 = 1;
const DRAINING: u64 = 2;

#[derive(Debug, Default)]
struct Streaks {
    failed_probes: u32,
    failed_requests: u32,
    open_for: Duration,
}

/// The machine itself. Reading is two atomic loads; only ends of requests and probes take its lock.
#[derive(Debug, Default)]
pub(crate) struct HealthSwitch {
    flags: AtomicU64,
    /// Microseconds until which the breaker is open; 0 where it is closed.
    open_until: AtomicU64,
    /// Microseconds by which a running trial pushes `open_until` ahead.
    trial_span: AtomicU64,
    streaks: Mutex<Streaks>,
}

impl HealthSwitch {
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

    pub(crate) fn probed(&self, policy: &HealthPolicy, up: bool, now: Timestamp) {
        let mut streaks = self.streaks.lock().unwrap_or_else(PoisonError::into_inner);
        if !up {
            streaks.failed_probes = streaks.failed_probes.saturating_add(1);
            if streaks.failed_probes >= policy.down_after {
                self.flags.fetch_or(DOWN, Relaxed);
            }
            return;
        }
        streaks.failed_probes = 0;
        let was_down = self.flags.fetch_and(!DOWN, Relaxed) & DOWN != 0;
        // Back from the dead: let one trial through at once instead of waiting out an old sentence.
        if was_down && self.open_until.load(Relaxed) != 0 {
            self.open_until.store(now.as_micros(), Relaxed);
        }
    }

    pub(crate) fn finished(&self, policy: &HealthPolicy, outcome: Outcome, now: Timestamp) {
        match outcome {
            Outcome::Neutral => {}
            Outcome::Served => self.close(),
            Outcome::Failed => self.failed(policy, now),
        }
    }

    fn close(&self) {
        let mut streaks = self.streaks.lock().unwrap_or_else(PoisonError::into_inner);
        if streaks.failed_requests > 0 {
            streaks.failed_requests = 0;
            streaks.open_for = Duration::ZERO;
            self.open_until.store(0, Relaxed);
        }
    }

    fn failed(&self, policy: &HealthPolicy, now: Timestamp) {
        let mut streaks = self.streaks.lock().unwrap_or_else(PoisonError::into_inner);
        streaks.failed_requests = streaks.failed_requests.saturating_add(1);
        if streaks.failed_requests < policy.open_after {
            return;
        }
        let span = (streaks.open_for * 2).clamp(policy.open_for, policy.open_at_most);
        streaks.open_for = span;
        self.trial_span
            .store(u64::try_from(span.as_micros()).unwrap_or(u64::MAX), Relaxed);
        self.open_until.store(now.after(span).as_micros(), Relaxed);
    }

    /// Whoever is booked on a half-open endpoint is its trial: others keep away until the trial has had its time.
    pub(crate) fn trial_started(&self, now: Timestamp) {
        let open_until = self.open_until.load(Relaxed);
        if open_until != 0 && open_until <= now.as_micros() {
            let span = Duration::from_micros(self.trial_span.load(Relaxed));
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
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: HealthPolicy = HealthPolicy {
        down_after: 2,
        open_after: 3,
        open_for: Duration::from_secs(1),
        open_at_most: Duration::from_secs(4),
    };

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn probes_take_out_after_a_streak_and_bring_back_at_once() {
        let switch = HealthSwitch::default();
        switch.probed(&POLICY, false, at(1));
        assert_eq!(switch.availability(at(1)), Availability::Up);
        switch.probed(&POLICY, false, at(2));
        assert_eq!(switch.availability(at(2)), Availability::Down);
        switch.probed(&POLICY, true, at(3));
        assert_eq!(switch.availability(at(3)), Availability::Up);
    }

    #[test]
    fn a_healthy_answer_does_not_close_the_breaker() {
        let switch = HealthSwitch::default();
        for _ in 0..3 {
            switch.finished(&POLICY, Outcome::Failed, at(10));
        }
        switch.probed(&POLICY, true, at(20));
        assert_eq!(switch.availability(at(20)), Availability::Open);
    }

    #[test]
    fn an_open_breaker_lets_one_trial_through_and_doubles_its_wait() {
        let switch = HealthSwitch::default();
        for _ in 0..3 {
            switch.finished(&POLICY, Outcome::Failed, at(0));
        }
        assert_eq!(switch.availability(at(999)), Availability::Open);
        assert_eq!(switch.availability(at(1_000)), Availability::Up);
        switch.trial_started(at(1_000));
        assert_eq!(
            switch.availability(at(1_001)),
            Availability::Open,
            "one trial at a time"
        );
        switch.finished(&POLICY, Outcome::Failed, at(1_100));
        assert_eq!(
            switch.availability(at(3_000)),
            Availability::Open,
            "2 s now"
        );
        assert_eq!(switch.availability(at(3_100)), Availability::Up);
        switch.trial_started(at(3_100));
        switch.finished(&POLICY, Outcome::Served, at(3_200));
        assert_eq!(switch.availability(at(3_200)), Availability::Up);
    }

    #[test]
    fn neutral_ends_change_nothing_and_draining_wins() {
        let switch = HealthSwitch::default();
        for _ in 0..9 {
            switch.finished(&POLICY, Outcome::Neutral, at(0));
        }
        assert!(switch.availability(at(0)).is_up());
        switch.set_draining(true);
        assert_eq!(switch.availability(at(0)), Availability::Draining);
        switch.set_draining(false);
        assert!(switch.availability(at(0)).is_up());
    }
}
