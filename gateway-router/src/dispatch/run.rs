//! The attempts of one request.

use std::{sync::Arc, time::Duration};

use gateway_core::{EndpointId, Explanation, Pipeline, RouteCx, Stage, pipeline::Late};
use gateway_proto::error::ApiError;
use tokio::time::timeout;

use super::{
    flight::Flight,
    request::Keys,
    retries::Retries,
    work::{Subject, Work},
};
use crate::{ErrorKind, Goal, Retry, RouteError, router::Shared, snapshot::Snapshot};

/// An answer that has begun, with the guard over what is left of it.
pub(super) struct Landed<B> {
    pub(super) begun: B,
    pub(super) flight: Flight,
    pub(super) endpoint: Arc<str>,
    pub(super) explanation: Option<Box<Explanation>>,
}

/// Makes as many attempts as settings, budget and errors allow, each on another endpoint.
pub(super) async fn run<W: Work>(
    shared: &Shared,
    snapshot: &Snapshot,
    work: &W,
) -> Result<Landed<W::Begun>, RouteError> {
    let subject = work.subject();
    if subject.leg.resumes.is_none() {
        shared.budget.earn(&snapshot.retry);
    }
    let mut flight = Flight::begin(&subject, Arc::clone(&shared.sink), shared.clock);
    let route = match Route::of(work, subject, snapshot) {
        Ok(route) => route,
        Err(error) => return Err(failed(&mut flight, error)),
    };
    let mut tried = avoided(&route);
    let mut retry = Retries::behind(&route.subject.leg);
    loop {
        let explanation = match place(shared, &route, &tried, &mut flight) {
            Ok(explanation) => explanation,
            Err(error) => return Err(failed(&mut flight, retry.given_up(shared, error))),
        };
        let id = flight.endpoint_id().expect("just placed");
        let error = match attempt(work, &route, id, &mut flight).await {
            Ok(begun) => return Ok(landed(begun, flight, explanation)),
            Err(error) => error,
        };
        flight.attempt_failed(&error);
        tried.push(id);
        if let Err(error) = retry.after(shared, snapshot, error, &flight) {
            return Err(failed(&mut flight, error));
        }
    }
}

/// The endpoints that are not to be asked; those that are gone are none.
fn avoided(route: &Route<'_>) -> Vec<EndpointId> {
    let fleet = &route.snapshot.fleet;
    let named = route.subject.hints.avoid.iter();
    named
        .filter_map(|name| Some(fleet.by_name(name)?.id()))
        .collect()
}

fn landed<B>(begun: B, flight: Flight, explanation: Option<Box<Explanation>>) -> Landed<B> {
    let endpoint = flight.report.endpoint.clone();
    Landed {
        begun,
        endpoint: endpoint.expect("an attempt has an endpoint"),
        flight,
        explanation,
    }
}

/// One attempt, up to what can be shown, within the time it may take.
async fn attempt<W: Work>(
    work: &W,
    route: &Route<'_>,
    id: EndpointId,
    flight: &mut Flight,
) -> Result<W::Begun, RouteError> {
    let Route {
        snapshot, subject, ..
    } = route;
    let deadlines = &snapshot.deadlines;
    let total = subject
        .hints
        .total
        .map_or(deadlines.total, |total| total.min(deadlines.total));
    let left = total.saturating_sub(flight.age());
    let patience = if subject.engine_streams {
        left.min(deadlines.first_byte)
    } else {
        left
    };
    let opened = timeout(patience, work.open(snapshot, id, None)).await;
    let opened = opened.unwrap_or_else(|_| Err(overdue(snapshot, left, patience)))?;
    Ok(work.begin(opened, snapshot, flight, total))
}

/// What a passed deadline means. Where time is left the engine was silent for too long. Where the request's own time is
/// up the engine is to blame only if it had as long as a first byte may take: a caller in a hurry, or the last of several
/// attempts, must not take an engine out.
fn overdue(snapshot: &Snapshot, left: Duration, patience: Duration) -> RouteError {
    let (kind, retry) = if left > patience {
        (ErrorKind::Timeout, Retry::OtherEndpoint)
    } else if patience >= snapshot.deadlines.first_byte {
        (ErrorKind::Timeout, Retry::Never)
    } else {
        (ErrorKind::OutOfTime, Retry::Never)
    };
    RouteError::engine(kind, retry, "The engine did not answer in time.")
}

fn failed(flight: &mut Flight, error: RouteError) -> RouteError {
    flight.report.status = Some(error.to_api().status);
    flight.fail(error.kind(), None);
    error
}

/// What all attempts of a request share.
struct Route<'a> {
    snapshot: &'a Snapshot,
    subject: Subject<'a>,
    pipeline: &'a Arc<Pipeline>,
    keys: Keys,
    labels: Vec<(&'a str, &'a str)>,
    goal: Goal,
    is_adapter: bool,
}

impl<'a> Route<'a> {
    fn of<W: Work>(
        work: &'a W,
        subject: Subject<'a>,
        snapshot: &'a Snapshot,
    ) -> Result<Self, RouteError> {
        if !snapshot.fleet.serves(subject.model) {
            let api = ApiError::unknown_model(subject.model);
            return Err(RouteError::new(ErrorKind::UnknownModel, Retry::Never, api));
        }
        let is_adapter = snapshot.fleet.is_adapter(subject.model);
        let labels = subject.hints.labels.iter();
        Ok(Self {
            snapshot,
            pipeline: snapshot.pipelines.of(subject.model, Stage::Unified),
            keys: work.keys(snapshot, is_adapter),
            labels: labels
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
            goal: snapshot.goals.of(subject.model, subject.hints.goal),
            is_adapter,
            subject,
        })
    }

    fn cx<'c>(&'c self, tried: &'c [EndpointId], flight: &Flight) -> RouteCx<'c> {
        let Subject { model, hints, .. } = self.subject;
        let mut cx = RouteCx::new(model, flight.now())
            .prompt(
                self.subject.prompt_tokens,
                &self.keys.blocks,
                self.keys.block_tokens,
            )
            .output(self.subject.max_tokens)
            .selector(&self.labels)
            .exclude(tried);
        cx.is_silent = !self.subject.engine_streams;
        cx.objectives = self.goal.objectives;
        // What earlier attempts took is gone.
        let age_ms = flight.age().as_secs_f32() * 1_000.0;
        cx.objectives.deadline_ms = cx.objectives.deadline_ms.map(|ms| ms - age_ms);
        if self.subject.leg.is_continuation() {
            // The answer began in time; whether it ends in time is not for admission to say.
            cx.objectives.deadline_ms = None;
        }
        cx.priority = self.goal.priority.unwrap_or_default();
        cx.caller = hints.caller;
        cx.keying = self.keys.keying;
        cx.session = hints.session.or(self.subject.session);
        cx.adapter = self.is_adapter.then_some(model);
        cx
    }
}

/// Chooses and books.
fn place(
    shared: &Shared,
    route: &Route<'_>,
    tried: &[EndpointId],
    flight: &mut Flight,
) -> Result<Option<Box<Explanation>>, RouteError> {
    let cx = route.cx(tried, flight);
    let fleet = &route.snapshot.fleet;
    let (placed, explanation) = if route.subject.hints.explain {
        let (placed, record) = route
            .pipeline
            .place_explained(fleet, &cx, &mut shared.rng());
        (placed, Some(Box::new(record)))
    } else {
        (route.pipeline.place(fleet, &cx, &mut shared.rng()), None)
    };
    let took = flight.now().since(cx.now);
    flight.report.decision_micros += u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let placement = placed.map_err(|nobody| {
        tracing::debug!(model = route.subject.model, %nobody, "nobody can take the request");
        nobody.late.map_or_else(overloaded, too_late)
    })?;
    flight.placed(placement, route.pipeline, route.snapshot);
    Ok(explanation)
}

fn overloaded() -> RouteError {
    let message = "No engine can take this request just now. Try again in a moment.";
    RouteError::new(
        ErrorKind::NoEndpoint,
        Retry::Never,
        ApiError::overloaded(message),
    )
}

/// Refused now rather than answered when nobody waits any more.
fn too_late(late: Late) -> RouteError {
    let expected = late.expected.as_millis();
    let what_to_do = if late.retry_after.is_some() {
        "Try again later, or allow more time."
    } else {
        "The prompt alone takes longer than that: allow more time, or send less."
    };
    let message = format!(
        "The answer would begin after the request's deadline: in {expected} ms at the earliest. {what_to_do}"
    );
    let api = ApiError::new(429, message).with_code("deadline_unreachable");
    RouteError::new(ErrorKind::TooLate, Retry::Never, api).with_retry_after(late.retry_after)
}
