//! Where one attempt goes, booked there.

use std::time::Duration;

use gateway_core::{
    EndpointId, Explanation, NoEndpoint, Placement, RouteCx, Stage,
    pipeline::{Late, PairPlacement, Room},
};
use gateway_proto::error::ApiError;

use super::{flight::Flight, pair::Way, route::Route};
use crate::{
    ErrorKind, PairOutcome, Retry, RouteError,
    admission::{Denied, Sleeper, in_turn},
    router::Shared,
};

/// Where a request goes.
pub(super) struct Placed {
    /// Who prefills and who decodes, where two engines share it.
    pub(super) pair: Option<(EndpointId, EndpointId)>,
    pub(super) explanation: Option<Box<Explanation>>,
}

/// Why a request goes nowhere.
pub(super) enum Unplaced {
    /// It has waited, and what is in force is no longer what it has come with: it is to be placed by that, in its turn.
    Outdated,
    Failed(RouteError),
}

impl From<RouteError> for Unplaced {
    fn from(error: RouteError) -> Self {
        Self::Failed(error)
    }
}

/// Chooses and books; a request that was not placed yet waits for room where settings say so, in its `seat` where it has
/// one.
pub(super) async fn place<'a>(
    shared: &'a Shared,
    route: &Route<'_>,
    way: Option<&Way<'_>>,
    tried: &[EndpointId],
    seat: &mut Option<Sleeper<'a>>,
    flight: &mut Flight,
) -> Result<Placed, Unplaced> {
    let settings = route.snapshot.admission.as_ref();
    let is_first = flight.report.attempts == 0;
    let Some(settings) = settings.filter(|_| is_first) else {
        let placed = place_now(shared, route, way, tried, flight, None);
        // Nobody waits any more.
        if let Some(seat) = seat.take().filter(|_| placed.is_ok()) {
            seat.served();
        }
        return placed.map_err(|nobody| refusal(&nobody, route, flight).into());
    };
    let (ask, began) = (route.ask(tried, flight), flight.now());
    let attempt = |room: Room<'_>| place_now(shared, route, way, tried, flight, Some(room));
    let (admission, clock) = (&shared.admission, shared.clock);
    let is_current = || shared.is_current(route.snapshot);
    let placed = in_turn(admission, settings, clock, ask, seat, is_current, attempt).await;
    flight.report.queued += flight.now().since(began);
    placed.map_err(|denied| match denied {
        Denied::Outdated => Unplaced::Outdated,
        Denied::Nobody(nobody) => refusal(&nobody, route, flight).into(),
        Denied::NoRoom(error) => error.into(),
    })
}

fn refusal(nobody: &NoEndpoint, route: &Route<'_>, flight: &Flight) -> RouteError {
    let overloaded = || overloaded().with_retry_after(back_in(route, flight));
    nobody.late.map_or_else(overloaded, too_late)
}

/// When the first endpoint of the model that is out may be back, as far as that is known.
fn back_in(route: &Route<'_>, flight: &Flight) -> Option<Duration> {
    let endpoints = route.snapshot.fleet.endpoints().iter();
    let own = endpoints.filter(|one| one.serves(route.subject.model));
    own.filter_map(|one| one.state().back_in(flight.now()))
        .min()
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
    flight.decided(cx.now);
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
    let (placed, explanation) = choose(shared, route, cx);
    flight.placed(placed?, route.pipeline, route.snapshot);
    Ok(Placed {
        pair: None,
        explanation,
    })
}

fn choose(
    shared: &Shared,
    route: &Route<'_>,
    cx: &RouteCx<'_>,
) -> (Result<Placement, NoEndpoint>, Option<Box<Explanation>>) {
    let fleet = &route.snapshot.fleet;
    if !route.subject.hints.explain {
        return (route.pipeline.place(fleet, cx, &mut shared.rng()), None);
    }
    let (placed, record) = route.pipeline.place_explained(fleet, cx, &mut shared.rng());
    (placed, Some(Box::new(record)))
}

/// Chooses and books a second endpoint for a request that the endpoint `first` has. It takes no room that others wait for.
pub(super) fn place_beside(
    shared: &Shared,
    route: &Route<'_>,
    way: Option<&Way<'_>>,
    first: EndpointId,
    flight: &mut Flight,
) -> Option<(Placement, Option<Box<Explanation>>)> {
    let Route {
        snapshot, subject, ..
    } = route;
    let mut out = route.named(&subject.hints.avoid);
    out.push(first);
    let mut cx = route.cx(&out, flight);
    if let Some(way) = way {
        cx = cx.whole().among(way.pools().whole);
    }
    if let Some(settings) = &snapshot.admission {
        if shared.admission.has_line(subject.model) {
            return None;
        }
        cx.room = Some(Room {
            limits: &settings.room,
            promised: &[],
        });
    }
    let (placed, explanation) = choose(shared, route, &cx);
    flight.decided(cx.now);
    Some((placed.ok()?, explanation))
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
