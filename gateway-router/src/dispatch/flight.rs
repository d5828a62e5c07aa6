//! A request in flight: the one guard that releases its load and tells its story, whatever happens.

use std::{sync::Arc, time::Duration};

use gateway_core::{
    EndpointId, Pipeline, Placement, RouteEvent, Timestamp,
    health::{HealthPolicy, Outcome},
    span_of_millis,
};
use gateway_proto::ir::Usage;

use super::work::Subject;
use crate::{
    Clock, Ending, ErrorKind, Gaps, ReportSink, RouteError, RouteReport, snapshot::Snapshot,
};

/// Lives from the request's coming to its end. Dropped without an ending it counts as cancelled by the caller.
pub(super) struct Flight {
    pub(super) report: RouteReport,
    current: Option<Attempt>,
    sink: Arc<dyn ReportSink>,
    clock: Clock,
    began: Timestamp,
}

struct Attempt {
    placement: Placement,
    pipeline: Arc<Pipeline>,
    health: HealthPolicy,
    sent: Timestamp,
}

impl Flight {
    pub(super) fn begin(subject: &Subject<'_>, sink: Arc<dyn ReportSink>, clock: Clock) -> Self {
        let report = RouteReport {
            request_id: Arc::clone(subject.request_id),
            leg: subject.leg,
            api: subject.api,
            model: Arc::from(subject.model),
            stream: subject.stream,
            endpoint: None,
            attempts: 0,
            ending: Ending::Cancelled,
            stuck: None,
            status: None,
            decision_micros: 0,
            ttft: None,
            predicted_ttft: None,
            total: Duration::ZERO,
            gaps: Gaps::default(),
            prompt_tokens_estimate: subject.prompt_tokens,
            cached_tokens_estimate: 0,
            usage: None,
        };
        Self {
            report,
            current: None,
            sink,
            clock,
            began: subject.leg.began.unwrap_or_else(|| clock.now()),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The endpoint of the attempt in flight.
    pub(super) fn endpoint_id(&self) -> Option<EndpointId> {
        self.current
            .as_ref()
            .map(|attempt| attempt.placement.endpoint().id())
    }

    /// How long the request has been here.
    pub(super) fn age(&self) -> Duration {
        self.now().since(self.began)
    }

    /// An endpoint was chosen: its load is this flight's from here on.
    pub(super) fn placed(
        &mut self,
        placement: Placement,
        pipeline: &Arc<Pipeline>,
        snapshot: &Snapshot,
    ) {
        self.report.attempts += 1;
        self.report.endpoint = Some(Arc::from(placement.endpoint().name()));
        self.report.cached_tokens_estimate = placement.cached_tokens();
        self.report.predicted_ttft = Some(span_of_millis(placement.forecast().ttft_ms));
        let health = snapshot.fleet.config().health;
        placement.endpoint().state().sent(self.now());
        self.current = Some(Attempt {
            placement,
            pipeline: Arc::clone(pipeline),
            health,
            sent: self.now(),
        });
    }

    /// The first of what is generated is there; `cached_tokens` is what the engine found in its cache, where it said so
    /// already.
    pub(super) fn first_token(&mut self, cached_tokens: Option<u32>) {
        let now = self.now();
        if self.report.ttft.is_none() && !self.report.leg.is_continuation() {
            self.report.ttft = Some(now.since(self.began));
        }
        let Some(attempt) = &mut self.current else {
            return;
        };
        attempt.placement.first_token(cached_tokens, now);
        attempt.placement.endpoint().state().heard(now);
        let endpoint = attempt.placement.endpoint().id();
        let after_micros = micros(now.since(attempt.sent));
        attempt.pipeline.observe(&RouteEvent::FirstToken {
            endpoint,
            after_micros,
        });
    }

    /// Something generated has come.
    pub(super) fn heard(&self, now: Timestamp) {
        if let Some(attempt) = &self.current {
            attempt.placement.endpoint().state().heard(now);
        }
    }

    /// The attempt failed; its load is released, another one may follow.
    pub(super) fn attempt_failed(&mut self, error: &RouteError) {
        self.end_attempt(outcome_of(error.kind()), None);
    }

    /// The request ended well. `counted` is how many tokens seem to have come out, for engines that do not say.
    pub(super) fn complete(&mut self, usage: Option<Usage>, counted: Option<u32>) {
        self.report.usage = usage;
        self.report.ending = Ending::Completed;
        self.end_attempt(Outcome::Served, counted);
    }

    /// The engine failed in the middle of an answer that another call takes up.
    pub(super) fn resumed(&mut self, kind: ErrorKind, usage: Usage) {
        self.report.usage = Some(usage);
        self.report.ending = Ending::Resumed(kind);
        self.end_attempt(outcome_of(kind), None);
    }

    /// The request ended with an error that the caller is told.
    pub(super) fn fail(&mut self, kind: ErrorKind, usage: Option<Usage>) {
        self.report.usage = usage;
        self.report.ending = Ending::Failed(kind);
        self.end_attempt(outcome_of(kind), None);
    }

    fn end_attempt(&mut self, outcome: Outcome, counted: Option<u32>) {
        let Some(mut attempt) = self.current.take() else {
            return;
        };
        let now = self.now();
        let output_tokens = self
            .report
            .usage
            .and_then(|usage| u32::try_from(usage.completion_tokens).ok())
            .or(counted);
        if outcome == Outcome::Served {
            attempt.placement.finished(output_tokens, now);
        }
        let endpoint = attempt.placement.endpoint();
        endpoint.state().finished(&attempt.health, outcome, now);
        attempt.pipeline.observe(&RouteEvent::Finished {
            endpoint: endpoint.id(),
            outcome,
            output_tokens,
            after_micros: micros(now.since(attempt.sent)),
        });
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.end_attempt(Outcome::Neutral, None);
        self.report.total = self.age();
        self.sink.report(&self.report);
    }
}

impl std::fmt::Debug for Flight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flight")
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// What an error says about the engine's health.
fn outcome_of(kind: ErrorKind) -> Outcome {
    match kind {
        ErrorKind::Connect
        | ErrorKind::Closed
        | ErrorKind::Broken
        | ErrorKind::Timeout
        | ErrorKind::EngineFailed => Outcome::Failed,
        _ => Outcome::Neutral,
    }
}
