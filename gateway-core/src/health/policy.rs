//! What health is judged by, and what comes of it.

use std::time::Duration;

/// When an endpoint is taken out, when it may try again, and when it is only used with care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    /// Failed probes in a row that take an endpoint out.
    pub down_after: u32,
    /// Failed requests in a row that open the breaker.
    pub open_after: u32,
    /// How long the breaker first stays open.
    pub open_for: Duration,
    /// The longest it stays open, before jitter; below [`open_for`](Self::open_for) it means that.
    pub open_at_most: Duration,
    /// By how many percent these times vary, so that endpoints do not all come back in the same moment.
    pub jitter_percent: u32,
    /// Percent of a model's endpoints that have to be out before the breakers are no longer asked; 0 for never.
    pub panic_percent: u32,
    /// Over how long the share of an endpoint that is new or back grows from a tenth to all; zero for at once.
    pub slow_start: Duration,
    /// The least silence of an endpoint with work in flight that turns requests away from it; several times what was
    /// predicted has to pass as well.
    pub silent_after: Duration,
    /// How long an engine's own counters may stand still while it says that it runs requests, before requests are turned
    /// away from it.
    pub stalled_after: Duration,
}

impl Default for HealthPolicy {
    fn default() -> Self {
        Self {
            down_after: 2,
            open_after: 3,
            open_for: Duration::from_secs(1),
            open_at_most: Duration::from_secs(30),
            jitter_percent: 10,
            panic_percent: 100,
            slow_start: Duration::from_secs(10),
            silent_after: Duration::from_secs(3),
            stalled_after: Duration::from_secs(10),
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

/// How a health probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It was answered as it should be.
    Well,
    /// It was answered with an error, or not in time; the engine may serve all the same.
    Failed,
    /// Nobody is there: no connection could be made.
    Gone,
}

/// Whether an endpoint may be given a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// In use. Endpoints that were never probed count as up: the first requests must not wait for a probe.
    Up,
    /// Out, but used all the same because nearly everybody is out. A decision says so, an endpoint never by itself.
    Panic,
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
        matches!(self, Self::Up | Self::Panic)
    }
}

/// Why an endpoint that may be used had better get fewer requests, or none while there are others.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Caution {
    /// It has work in flight and gave no token for several times as long as predicted.
    pub is_silent: bool,
    /// It says that it runs requests while its own counters stand still.
    pub is_stalled: bool,
    /// The share of the requests it would else get that it may get now, above 0 to 1: below 1 after a start.
    pub share: f32,
}

impl Caution {
    /// No reason at all.
    pub const NONE: Self = Self {
        is_silent: false,
        is_stalled: false,
        share: 1.0,
    };
}
