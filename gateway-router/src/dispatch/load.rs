//! What an attempt burdens its engine with, from the choice of the engine to the end.

use std::{sync::Arc, time::Duration};

use gateway_core::{
    EndpointId, Pipeline, Placement, RouteEvent, Timestamp,
    health::{HealthPolicy, Outcome},
};

use crate::{Clock, ErrorKind, snapshot::Snapshot};

/// One attempt at an engine.
pub(super) struct Attempt {
    pub(super) placement: Placement,
    pipeline: Arc<Pipeline>,
    health: HealthPolicy,
    pub(super) sent: Timestamp,
}

impl Attempt {
    pub(super) fn begin(
        placement: Placement,
        pipeline: &Arc<Pipeline>,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Self {
        placement.endpoint().state().sent(now);
        Self {
            placement,
            pipeline: Arc::clone(pipeline),
            health: snapshot.fleet.config().health,
            sent: now,
        }
    }

    pub(super) fn endpoint_id(&self) -> EndpointId {
        self.placement.endpoint().id()
    }

    /// The first of what is generated is there.
    pub(super) fn first_token(&mut self, cached_tokens: Option<u32>, now: Timestamp) {
        self.placement.first_token(cached_tokens, now);
        self.placement.endpoint().state().heard(now);
        self.pipeline.observe(&RouteEvent::FirstToken {
            endpoint: self.endpoint_id(),
            after_micros: micros(now.since(self.sent)),
        });
    }

    pub(super) fn end(mut self, outcome: Outcome, output_tokens: Option<u32>, now: Timestamp) {
        if outcome == Outcome::Served {
            self.placement.finished(output_tokens, now);
        }
        let endpoint = self.placement.endpoint();
        endpoint.state().finished(&self.health, outcome, now);
        self.pipeline.observe(&RouteEvent::Finished {
            endpoint: endpoint.id(),
            outcome,
            output_tokens,
            after_micros: micros(now.since(self.sent)),
        });
    }
}

/// The load of an attempt apart from its flight's own: of one leg of a pair, which may outlive the flight, or of a second
/// engine that is asked the same. Dropped, nothing is said of how it went.
pub(super) struct LegLoad {
    attempt: Option<Attempt>,
    clock: Clock,
}

impl LegLoad {
    pub(super) fn of(attempt: Attempt, clock: Clock) -> Self {
        Self {
            attempt: Some(attempt),
            clock,
        }
    }

    pub(super) fn lent(&self) -> Option<&Attempt> {
        self.attempt.as_ref()
    }

    pub(super) fn attempt(&mut self) -> Option<&mut Attempt> {
        self.attempt.as_mut()
    }

    /// The attempt becomes a flight's own.
    pub(super) fn into_attempt(mut self) -> Option<Attempt> {
        self.attempt.take()
    }

    pub(super) fn took(&self) -> Option<Duration> {
        let attempt = self.attempt.as_ref()?;
        Some(self.clock.now().since(attempt.sent))
    }

    /// It is over. How long the answer is to be is not seen here.
    pub(super) fn over(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        let Some(mut attempt) = self.attempt.take() else {
            return;
        };
        let now = self.clock.now();
        if outcome == Outcome::Served {
            attempt.placement.first_token(None, now);
        }
        attempt.end(outcome, None, now);
    }
}

impl Drop for LegLoad {
    fn drop(&mut self) {
        self.end(Outcome::Neutral);
    }
}

/// What an error says about the engine's health.
pub(super) fn outcome_of(kind: ErrorKind) -> Outcome {
    match kind {
        ErrorKind::Connect
        | ErrorKind::Closed
        | ErrorKind::Broken
        | ErrorKind::Timeout
        | ErrorKind::EngineFailed => Outcome::Failed,
        _ => Outcome::Neutral,
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
