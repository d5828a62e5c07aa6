//! The attempts of one request.

use std::{sync::Arc, time::Duration};

use gateway_core::{
    EndpointId, Explanation, NoEndpoint, Pipeline, RouteCx, Stage,
    admission::Arrival,
    latency::OutputKey,
    pipeline::{Late, PairPlacement, Room},
    span_of_millis,
};
use gateway_proto::error::ApiError;
use tokio::time::timeout;

use super::{
    flight::Flight,
    pair::{self, Broken, Way},
    request::Keys,
    retries::Retries,
    work::{Subject, Work},
};
use crate::{
    ErrorKind, Goal, PairOutcome, PairReport, PairSettings, Retry, RouteError,
    admission::{Ask, Denied, in_turn},
    router::Shared,
    snapshot::Snapshot,
};

/// An answer that has begun, with the guard over what is left of it.
pub(super) struct Landed<B> {
    pub(super) begun: B,
    pub(super) flight: Flight,
    pub(super) endpoint: Arc<str>,
    pub(super) explanation: Option<Box<Explanation>>,
    /// What became of splitting it, where that was not out of the question.
    pub(super) pair: Option<PairReport>,
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
    let mut way = Way::of(snapshot, &route.subject, work.can_split());
    loop {
        let placed = match place(shared, &route, way.as_ref(), &tried, &mut flight).await {
            Ok(placed) => placed,
            Err(error) => return Err(failed(&mut flight, retry.given_up(shared, error))),
        };
        let next = match placed.pair.zip(way.as_mut()) {
            None => {
                let id = flight.endpoint_id().expect("just placed");
                match attempt(work, &route, id, &mut flight).await {
                    Ok(begun) => return Ok(landed(begun, flight, placed.explanation)),
                    Err(error) => {
                        flight.attempt_failed(&error);
                        tried.push(id);
                        retry.after(shared, snapshot, error, &flight)
                    }
                }
            }
            Some((ids, way)) => {
                match attempt_pair(shared, work, &route, (ids, way.settings), &mut flight).await {
                    Ok(begun) => return Ok(landed(begun, flight, placed.explanation)),
                    Err(broken) => {
                        flight.pair_failed(&broken);
                        way.after(broken, ids, &mut tried, &mut retry)
                    }
                }
            }
        };
        if let Err(error) = next {
            return Err(failed(&mut flight, error));
        }
    }
}

/// One attempt on two endpoints, up to what can be shown.
async fn attempt_pair<W: Work>(
    shared: &Shared,
    work: &W,
    route: &Route<'_>,
    ((prefill, decode), settings): ((EndpointId, EndpointId), PairSettings),
    flight: &mut Flight,
) -> Result<W::Begun, Broken> {
    let call = pair::Call {
        work,
        snapshot: route.snapshot,
        prefill,
        decode,
        settings,
        total: route.total(),
    };
    let opened = pair::drive(shared, &call, flight).await?;
    Ok(work.begin(opened, route.snapshot, flight, call.total))
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
        pair: flight.report.pair.clone(),
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
    let total = route.total();
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

    /// The time that the request may take in all.
    fn total(&self) -> Duration {
        let most = self.snapshot.deadlines.total;
        let own = self.subject.hints.total;
        own.map_or(most, |total| total.min(most))
    }

    /// What it asks of a line of those who wait.
    fn ask(&self, tried: &[EndpointId], flight: &Flight) -> Ask<'a> {
        let cx = self.cx(tried, flight);
        let outputs = self.snapshot.fleet.outputs();
        let expected = outputs.expect(&OutputKey::of(&cx)) as u64;
        let output = match self.subject.max_tokens {
            0 => expected,
            most => expected.min(u64::from(most)),
        };
        let left = self.total().saturating_sub(flight.age());
        let in_time = cx.objectives.deadline_ms.map(f64::from);
        let in_time = in_time.filter(|ms| !ms.is_nan()).map(span_of_millis);
        Ask {
            model: self.subject.model,
            arrival: Arrival {
                priority: cx.priority,
                flow: cx.caller,
                tokens: u64::from(self.subject.prompt_tokens) + output,
            },
            until: flight
                .now()
                .after(in_time.map_or(left, |time| time.min(left))),
        }
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

/// Where a request goes.
struct Placed {
    /// Who prefills and who decodes, where two engines share it.
    pair: Option<(EndpointId, EndpointId)>,
    explanation: Option<Box<Explanation>>,
}

/// Chooses and books; a request that was not placed yet waits for room where settings say so.
async fn place(
    shared: &Shared,
    route: &Route<'_>,
    way: Option<&Way<'_>>,
    tried: &[EndpointId],
    flight: &mut Flight,
) -> Result<Placed, RouteError> {
    let settings = route.snapshot.admission.as_ref();
    let is_new = flight.report.attempts == 0 && !route.subject.leg.is_continuation();
    let Some(settings) = settings.filter(|_| is_new) else {
        return place_now(shared, route, way, tried, flight, None).map_err(refusal);
    };
    let (ask, began) = (route.ask(tried, flight), flight.now());
    let attempt = |room: Room<'_>| place_now(shared, route, way, tried, flight, Some(room));
    let placed = in_turn(&shared.admission, settings, shared.clock, ask, attempt).await;
    flight.report.queued = flight.now().since(began);
    placed.map_err(|denied| match denied {
        Denied::Nobody(nobody) => refusal(nobody),
        Denied::NoRoom(error) => error,
    })
}

fn refusal(nobody: NoEndpoint) -> RouteError {
    nobody.late.map_or_else(overloaded, too_late)
}

fn place_now(
    shared: &Shared,
    route: &Route<'_>,
    way: Option<&Way<'_>>,
    tried: &[EndpointId],
    flight: &mut Flight,
    room: Option<Room<'_>>,
) -> Result<Placed, NoEndpoint> {
    let mut cx = route.cx(tried, flight);
    cx.room = room;
    let placed = match way {
        None => place_whole(shared, route, &cx, flight),
        Some(way) => place_split(shared, route, way, &cx, flight),
    };
    let took = flight.now().since(cx.now);
    flight.report.decision_micros += u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    placed.inspect_err(|nobody| {
        tracing::debug!(model = route.subject.model, %nobody, "nobody can take the request");
    })
}

fn place_whole(
    shared: &Shared,
    route: &Route<'_>,
    cx: &RouteCx<'_>,
    flight: &mut Flight,
) -> Result<Placed, NoEndpoint> {
    let fleet = &route.snapshot.fleet;
    let (placed, explanation) = if route.subject.hints.explain {
        let (placed, record) = route.pipeline.place_explained(fleet, cx, &mut shared.rng());
        (placed, Some(Box::new(record)))
    } else {
        (route.pipeline.place(fleet, cx, &mut shared.rng()), None)
    };
    flight.placed(placed?, route.pipeline, route.snapshot);
    Ok(Placed {
        pair: None,
        explanation,
    })
}

fn place_split(
    shared: &Shared,
    route: &Route<'_>,
    way: &Way<'_>,
    cx: &RouteCx<'_>,
    flight: &mut Flight,
) -> Result<Placed, NoEndpoint> {
    let Route {
        snapshot, subject, ..
    } = route;
    let stages = snapshot.pipelines.stages(subject.model);
    let mut explanation = subject
        .hints
        .explain
        .then(|| Box::new(stages.explanation(cx)));
    let record = explanation.as_deref_mut();
    let placed = stages.place(&snapshot.fleet, cx, way.pools(), &mut shared.rng(), record)?;
    let is_alone = matches!(placed, PairPlacement::Alone(_));
    let pair = match placed {
        PairPlacement::Pair { prefill, decode } => {
            let ids = (prefill.endpoint().id(), decode.endpoint().id());
            let of = |stage| snapshot.pipelines.of(subject.model, stage);
            let prefill = (prefill, of(Stage::Prefill));
            flight.placed_pair(prefill, (decode, of(Stage::Decode)), snapshot);
            Some(ids)
        }
        PairPlacement::Single(one) | PairPlacement::Alone(one) => {
            flight.placed(one, route.pipeline, snapshot);
            if let Some(fault) = way.fault(is_alone) {
                flight.pair_ended(PairOutcome::SinglePhase(fault));
            }
            None
        }
    };
    Ok(Placed { pair, explanation })
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
