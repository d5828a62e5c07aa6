//! The attempts of one request.

use std::{sync::Arc, time::Duration};

use gateway_core::{EndpointId, Explanation};
use tokio::time::timeout;

use super::{
    flight::Flight,
    pair::{self, Broken, Way},
    place::place,
    retries::Retries,
    route::Route,
    tokens,
    work::{Subject, Work},
};
use crate::{
    ErrorKind, PairReport, PairSettings, Retry, RouteError, adapters, router::Shared,
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
    let mut tried = match cause(&route) {
        Some(cause) => Box::pin(elsewhere(shared, &route, cause)).await,
        None => named(&route, &route.subject.hints.avoid),
    };
    let mut retry = Retries::behind(&route.subject.leg);
    let mut way = Way::of(snapshot, &route.subject, work.can_split());
    loop {
        let placed = match place(shared, &route, way.as_ref(), &tried, &mut flight).await {
            Ok(placed) => placed,
            Err(error)
                if error.kind() == ErrorKind::NoEndpoint && spares(way.as_mut(), &mut tried) =>
            {
                continue;
            }
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
                let on_both = (ids, way.settings);
                // In a box, so that requests for one engine do not carry its size about.
                let attempt = attempt_pair(shared, work, &route, on_both, &mut flight);
                match Box::pin(attempt).await {
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

fn spares(way: Option<&mut Way<'_>>, tried: &mut Vec<EndpointId>) -> bool {
    way.is_some_and(|way| way.spare(tried))
}

/// Whose failure of an answer this is to take up.
fn cause(route: &Route<'_>) -> Option<ErrorKind> {
    let resumes = route.subject.leg.resumes.as_ref()?;
    Some(resumes.cause)
}

/// The endpoints that are not to be asked for an answer that others have failed.
async fn elsewhere(shared: &Shared, route: &Route<'_>, cause: ErrorKind) -> Vec<EndpointId> {
    let Subject { model, hints, .. } = &route.subject;
    let avoid = tokens::elsewhere(shared, model, cause, &hints.avoid).await;
    named(route, &avoid)
}

/// Endpoints by their names; those that are gone are none.
fn named(route: &Route<'_>, names: &[Arc<str>]) -> Vec<EndpointId> {
    let fleet = &route.snapshot.fleet;
    let known = names.iter().filter_map(|name| fleet.by_name(name));
    known.map(|endpoint| endpoint.id()).collect()
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
    adapter(route, id, patience).await?;
    let opened = timeout(patience, work.open(snapshot, id, None)).await;
    let opened = opened.unwrap_or_else(|_| Err(overdue(snapshot, left, patience)))?;
    Ok(work.begin(opened, snapshot, flight, total))
}

/// Waits until the endpoint has the LoRA adapter that is asked for, if any is.
async fn adapter(route: &Route<'_>, id: EndpointId, patience: Duration) -> Result<(), RouteError> {
    if !route.is_adapter {
        return Ok(());
    }
    let model = route.subject.model;
    let ready = timeout(patience, route.snapshot.adapter_ready(id, model)).await;
    ready.unwrap_or_else(|_| Err(adapters::failure(model, "the request's time was up")))
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
