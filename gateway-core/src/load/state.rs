//! The living part of an endpoint: it survives reloads and is shared by all fleet snapshots.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use super::{
    Booking, Demand, Freshness, InFlight, Rates, SampleMark, Telemetry, TelemetryPolicy,
    adapters::Adapters,
    bell::RoomBell,
    ledger::Ledger,
    reported::Reported,
    work::{Foreign, Work},
};
use crate::{
    EndpointId, Stage, Timestamp,
    health::{Availability, Caution, HealthPolicy, HealthSwitch, Outcome, Probe, Ramp, Signs},
    latency::{Accuracy, ClassModel, EngineModel, Forecast, Hardware, LearnedEngine},
};

/// What one request weighs in the counters.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestLoad {
    /// Prompt tokens that the endpoint has to compute.
    pub(super) uncached_tokens: u64,
    /// Prompt plus expected output, in tokens.
    pub(super) context_tokens: u64,
}

impl RequestLoad {
    pub(super) fn of(demand: &Demand<'_>) -> Self {
        let uncached = match demand.stage {
            Stage::Decode => 0,
            _ => demand.prompt_tokens.saturating_sub(demand.cached_tokens),
        };
        Self {
            uncached_tokens: u64::from(uncached),
            context_tokens: u64::from(demand.prompt_tokens) + demand.output_tokens.max(0.0) as u64,
        }
    }
}

/// The load of an endpoint as a decision sees it: our own requests exactly, foreign ones as last reported.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Load {
    /// Requests at the engine, running or queued.
    pub requests: u32,
    /// Of those, requests without a first token yet.
    pub waiting: u32,
    /// Prompt tokens of our own requests that wait for their first token.
    pub queued_tokens: u64,
    /// KV tokens that our own requests will hold.
    pub context_tokens: u64,
    /// Share of the KV cache in use, where the engine says so.
    pub kv_used: Option<f32>,
    /// How far the engine's own word went into this.
    pub telemetry: Freshness,
}

/// Load and health of one endpoint, and what was learned of its speed.
#[derive(Debug)]
pub struct EndpointState {
    ledger: Ledger,
    work: Mutex<Work>,
    reported: Reported,
    health: HealthSwitch,
    ramp: Ramp,
    signs: Signs,
    policy: HealthPolicy,
    bell: RoomBell,
    adapters: Adapters,
    renewals: AtomicU64,
    readings: Mutex<Readings>,
}

/// What the last readings said, kept for metrics and records.
#[derive(Debug, Default)]
struct Readings {
    last: Option<(Timestamp, Telemetry)>,
    rates: Option<Rates>,
}

impl Default for EndpointState {
    /// An endpoint of which nothing is known.
    fn default() -> Self {
        let hardware = Hardware::default();
        let class = Arc::new(ClassModel::new(&hardware));
        Self::new(hardware, class)
    }
}

impl EndpointState {
    /// An endpoint with that hardware, which learns together with its class.
    #[must_use]
    pub fn new(hardware: Hardware, class: Arc<ClassModel>) -> Self {
        let model = EngineModel::new(&hardware, class);
        Self {
            ledger: Ledger::default(),
            work: Mutex::new(Work::new(hardware, model)),
            reported: Reported::default(),
            health: HealthSwitch::default(),
            ramp: Ramp::new(HealthPolicy::default().slow_start),
            signs: Signs::default(),
            policy: HealthPolicy::default(),
            bell: RoomBell::default(),
            adapters: Adapters::default(),
            renewals: AtomicU64::new(0),
            readings: Mutex::default(),
        }
    }

    /// The same as a member of a fleet: under its policy, and heard by whoever waits for room there.
    pub(crate) fn in_fleet(self, id: EndpointId, policy: HealthPolicy, bell: RoomBell) -> Self {
        Self {
            health: HealthSwitch::salted(u64::from(id.0) << 48),
            ramp: Ramp::new(policy.slow_start),
            policy,
            bell,
            ..self
        }
    }

    pub(super) fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a request would meet here, with `load` as [`load`](Self::load) gave it.
    #[must_use]
    pub fn forecast(&self, demand: &Demand<'_>, load: &Load, now: Timestamp) -> Forecast {
        let ours = self.ledger.read();
        let foreign = Foreign {
            requests: load.requests.saturating_sub(ours.requests),
            waiting: load.waiting.saturating_sub(ours.prefilling),
            kv_share: self.reported.foreign_kv_share(),
        };
        self.work()
            .forecast(demand, foreign, self.reported.capacity_tokens(), now)
    }

    /// A prediction met what happened; both in milliseconds to the first token.
    pub(crate) fn met(&self, predicted_ms: f64, observed_ms: f64) {
        self.work().accuracy.add(predicted_ms, observed_ms);
    }

    /// How predictions met what happened.
    #[must_use]
    pub fn accuracy(&self) -> Accuracy {
        self.work().accuracy
    }

    /// The hardware is another one: what was learned of the old one goes.
    pub(crate) fn describe(&self, hardware: Hardware, class: Arc<ClassModel>) {
        let model = EngineModel::new(&hardware, class);
        self.work().describe(hardware, model);
    }

    /// The endpoint's learned model, as it is now.
    #[must_use]
    pub fn model(&self) -> EngineModel {
        self.work().model().clone()
    }

    /// Takes over what was learned of the endpoint earlier.
    pub fn restore(&self, learned: &LearnedEngine) {
        self.work().model().restore(learned);
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Call when a reading is asked for; hand the mark to [`apply`](Self::apply) with the answer.
    #[must_use]
    pub fn mark(&self, now: Timestamp) -> SampleMark {
        SampleMark {
            asked_at: now,
            ours: self.in_flight(),
        }
    }

    /// Takes in a reading that was asked for at `mark`.
    pub fn apply(&self, mark: &SampleMark, reading: &Telemetry) {
        self.reported.apply(mark, self.in_flight(), reading);
        let mut readings = self.readings();
        if let Some((asked_at, before)) = &readings.last {
            let (before, now) = ((*asked_at, before), (mark.asked_at, reading));
            self.signs.read(before, now);
            readings.rates = Rates::between(before, now);
        }
        readings.last = Some((mark.asked_at, *reading));
        drop(readings);
        self.bell.ring();
    }

    /// The last reading and the time it was asked for, for metrics and records.
    #[must_use]
    pub fn last_reading(&self) -> Option<(Timestamp, Telemetry)> {
        self.readings().last
    }

    /// What the engine did between its last two readings.
    #[must_use]
    pub fn rates(&self) -> Option<Rates> {
        self.readings().rates
    }

    fn readings(&self) -> MutexGuard<'_, Readings> {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The joined view at `now`.
    #[must_use]
    pub fn load(&self, policy: &TelemetryPolicy, now: Timestamp) -> Load {
        let ours = self.ledger.read();
        let telemetry = self.reported.freshness(policy, now);
        let known = telemetry != Freshness::Missing;
        let (foreign, foreign_waiting) = if known {
            self.reported.foreign()
        } else {
            (0, 0)
        };
        Load {
            requests: ours.requests.saturating_add(foreign),
            waiting: ours.prefilling.saturating_add(foreign_waiting),
            queued_tokens: ours.queued_tokens,
            context_tokens: ours.context_tokens,
            kv_used: if known {
                self.reported.kv_used(&ours)
            } else {
                None
            },
            telemetry,
        }
    }

    /// The LoRA adapters that the engine has loaded.
    #[must_use]
    pub fn adapters(&self) -> &Adapters {
        &self.adapters
    }

    /// Our requests in flight, counted alone: cheap.
    pub(crate) fn requests(&self) -> u32 {
        self.ledger.read().requests
    }

    /// Our requests in flight.
    #[must_use]
    pub fn in_flight(&self) -> InFlight {
        InFlight {
            active_tokens: self.work().active_tokens(),
            ..self.ledger.read()
        }
    }

    /// Whether the endpoint may be given a request at `now`.
    #[must_use]
    pub fn availability(&self, now: Timestamp) -> Availability {
        self.health.availability(now)
    }

    /// In how much time from `now` the endpoint may be up again where it is out: when its breaker next lets a request
    /// through, or when it is next probed. `None` where it is not out, or nobody knows.
    #[must_use]
    pub fn back_in(&self, now: Timestamp) -> Option<Duration> {
        self.health.back_in(now)
    }

    /// The next probe is to be made at that time.
    pub fn probes_next(&self, at: Timestamp) {
        self.health.probes_next(at);
    }

    /// Whether probes say that nobody is there at all.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.health.is_gone()
    }

    /// Why the endpoint had better get fewer requests at `now`, if any.
    #[must_use]
    pub fn caution(&self, now: Timestamp) -> Caution {
        Caution {
            is_silent: self.is_silent(now),
            is_stalled: self.signs.is_stalled(self.policy.stalled_after, now)
                && !self.spoke_lately(now),
            share: self.ramp.share(now),
        }
    }

    fn spoke_lately(&self, now: Timestamp) -> bool {
        let quiet = self.signs.quiet_since(self.policy.silent_after, now);
        self.signs.is_listened_to() && quiet.is_none()
    }

    /// Cheap while tokens flow: only a silence that is long in itself is held against the predictions.
    fn is_silent(&self, now: Timestamp) -> bool {
        let floor = self.policy.silent_after;
        let ours = self.ledger.read();
        if ours.requests == 0 {
            return false;
        }
        let foreign_waiting = self.reported.foreign().1;
        self.signs
            .quiet_since(floor, now)
            .is_some_and(|heard| self.work().is_overdue(heard, floor, foreign_waiting, now))
    }

    /// A request was sent here by somebody who says what he hears of it. Call after the booking.
    pub fn sent(&self, now: Timestamp) {
        self.signs.sent(self.requests() <= 1, now);
    }

    /// Something generated has come from here.
    pub fn heard(&self, now: Timestamp) {
        self.signs.heard(now);
    }

    /// The engine is another process than before: what it gets grows slowly.
    pub fn restarted(&self, now: Timestamp) {
        self.renewals.fetch_add(1, Relaxed);
        self.ramp.begin(now);
    }

    /// How often the engine may have become another, with other models: it [was restarted](Self::restarted), or came back
    /// after probes had found it down.
    #[must_use]
    pub fn renewals(&self) -> u64 {
        self.renewals.load(Relaxed)
    }

    /// A new member of a fleet that is at work.
    pub(crate) fn joined(&self) {
        self.ramp.begin_when_seen();
    }

    /// An active probe has ended.
    pub fn probed(&self, policy: &HealthPolicy, probe: Probe, now: Timestamp) {
        if self.health.probed(policy, probe, now) {
            self.renewals.fetch_add(1, Relaxed);
            self.ramp.begin(now);
            self.bell.ring();
        }
    }

    /// A request has ended; failures that are the engine's own count against it.
    pub fn finished(&self, policy: &HealthPolicy, outcome: Outcome, now: Timestamp) {
        if self.health.finished(policy, outcome, now) {
            self.ramp.begin(now);
            self.bell.ring();
        }
    }

    /// An operator takes the endpoint out of or back into rotation.
    pub fn set_draining(&self, draining: bool) {
        self.health.set_draining(draining);
        if !draining {
            self.bell.ring();
        }
    }

    pub(super) fn bell(&self) -> &RoomBell {
        &self.bell
    }

    /// Books a request. A pipeline does this in the same step as its choice.
    pub fn book(self: &Arc<Self>, demand: &Demand<'_>, now: Timestamp) -> Booking {
        self.health.trial_started(now);
        Booking::new(Arc::clone(self), demand, now)
    }
}
