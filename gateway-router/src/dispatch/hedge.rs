//! A second engine beside a silent one: the first answer that can be shown is the caller's, and the other engine's work
//! ends with it.

use std::{pin::pin, sync::Arc, time::Duration};

use gateway_core::{EndpointId, Explanation, span_of_millis};
use tokio::{select, time::timeout};

use super::{
    flight::Flight,
    load::{LegLoad, outcome_of},
    pair::Way,
    place::place_beside,
    retries::Retries,
    route::Route,
    single,
    work::Work,
};
use crate::{
    ErrorKind, HedgeAfter, HedgeOutcome, HedgeReport, HedgeSettings, RouteError, router::Shared,
};

/// Of a hundred requests, how many are expected to meet less than the silence that is waited for.
const USUAL_PERCENT: u64 = 95;
/// Predictions that must have been met on an endpoint before they say what is usual there.
const SEEN_AT_LEAST: u64 = 20;
/// The least silence that is waited for by predictions: below it a second request costs more than it gains.
const SPAN_AT_LEAST: Duration = Duration::from_millis(50);

/// A request has come that may be asked twice.
pub(super) fn earn(shared: &Shared, route: &Route<'_>) {
    if let Some(settings) = settings(route) {
        shared.hedges.earn(&settings.budget());
    }
}

/// Where a second engine may be asked at all. Only a stream shows that its engine is silent, and an answer takes one
/// second engine at most, however many calls it consists of.
fn settings(route: &Route<'_>) -> Option<HedgeSettings> {
    let subject = &route.subject;
    let is_first = !subject.leg.is_continuation() && subject.leg.strand == 0;
    let may = subject.engine_streams && is_first && route.snapshot.retry.attempts > 1;
    may.then(|| route.snapshot.hedges.of(subject.model))
        .flatten()
}

/// After how much silence of the endpoint just chosen another one is asked, if ever.
pub(super) fn after(route: &Route<'_>, flight: &Flight) -> Option<Duration> {
    let settings = settings(route).filter(|_| flight.report.attempts == 1)?;
    let endpoint = route.snapshot.fleet.by_id(flight.endpoint_id()?)?;
    if route.is_adapter && !endpoint.has_adapter(route.subject.model) {
        // An engine that loads an adapter first is not silent.
        return None;
    }
    match settings.after {
        HedgeAfter::Span(span) => Some(span),
        HedgeAfter::Predicted => {
            let accuracy = endpoint.state().accuracy();
            let usual = accuracy.ratio_within(USUAL_PERCENT, SEEN_AT_LEAST)?;
            let predicted_ms = flight.report.predicted_ttft?.as_secs_f64() * 1_000.0;
            Some(span_of_millis(predicted_ms * usual).max(SPAN_AT_LEAST))
        }
    }
}

/// What two engines may be asked.
pub(super) struct Twice<'a, W> {
    pub(super) shared: &'a Shared,
    pub(super) work: &'a W,
    pub(super) route: &'a Route<'a>,
    pub(super) way: Option<&'a Way<'a>>,
}

/// What its attempts leave behind.
pub(super) struct Traces<'a> {
    pub(super) flight: &'a mut Flight,
    pub(super) retries: &'a mut Retries,
    pub(super) tried: &'a mut Vec<EndpointId>,
}

/// A second engine that has been chosen.
struct Second {
    id: EndpointId,
    load: Box<LegLoad>,
    explanation: Option<Box<Explanation>>,
}

/// An answer, with the record of the decision where that is not the first one.
type Answer<O> = (O, Option<Box<Explanation>>);

enum Side {
    First,
    Second,
}

impl<W: Work> Twice<'_, W> {
    /// Asks the endpoint that the flight is booked on, and after so much silence a second one.
    ///
    /// # Errors
    /// With the last error, where both fail; it is that of the endpoint which the flight is booked on then.
    pub(super) async fn open(
        &self,
        after: Duration,
        traces: &mut Traces<'_>,
    ) -> Result<Answer<W::Opened>, RouteError> {
        let id = traces.flight.endpoint_id().expect("just placed");
        let age = traces.flight.age();
        let mut first = pin!(single::open(self.work, self.route, id, age));
        if let Ok(opened) = timeout(after, first.as_mut()).await {
            return Ok((opened?, None));
        }
        let Some(second) = self.second(after, id, traces.flight) else {
            return Ok((first.await?, None));
        };
        let Second {
            id: second_id,
            load,
            explanation,
        } = second;
        let age = traces.flight.age();
        let mut second = pin!(single::open(self.work, self.route, second_id, age));
        // The second one goes first, so that it is asked in any case.
        let (side, opened) = select! {
            biased;
            opened = second.as_mut() => (Side::Second, opened),
            opened = first.as_mut() => (Side::First, opened),
        };
        match (side, opened) {
            (Side::First, Ok(opened)) => Ok((traces.won(HedgeOutcome::First, opened), None)),
            (Side::Second, Ok(opened)) => {
                traces.flight.move_to(load);
                Ok((traces.won(HedgeOutcome::Second, opened), explanation))
            }
            // What the first engine says of the request itself is the caller's.
            (Side::First, Err(error)) if error.kind() == ErrorKind::Rejected => {
                traces.flight.hedge_ended(HedgeOutcome::Neither);
                Err(error)
            }
            (Side::First, Err(error)) => {
                traces.flight.attempt_failed(&error);
                traces.flight.move_to(load);
                traces.lost(id, error);
                let opened = second.await;
                Ok((traces.ended(HedgeOutcome::Second, opened)?, explanation))
            }
            (Side::Second, Err(error)) => {
                load.over(outcome_of(error.kind()));
                traces.lost(second_id, error);
                let opened = first.await;
                Ok((traces.ended(HedgeOutcome::First, opened)?, None))
            }
        }
    }

    /// Chooses a second endpoint and books it; its cost is paid for.
    fn second(&self, after: Duration, first: EndpointId, flight: &mut Flight) -> Option<Second> {
        let Self { shared, route, .. } = self;
        let name = |id| {
            let endpoint = route.snapshot.fleet.by_id(id)?;
            Some(Arc::from(endpoint.name()))
        };
        let told = |outcome, second: Option<EndpointId>| {
            Box::new(HedgeReport {
                outcome,
                after,
                endpoints: (name(first).unwrap_or_default(), second.and_then(name)),
            })
        };
        if !self.pay() {
            flight.report.hedge = Some(told(HedgeOutcome::Budget, None));
            return None;
        }
        let Some((placement, explanation)) = place_beside(shared, route, self.way, first, flight)
        else {
            shared.hedges.refund();
            shared.budget.refund();
            flight.report.hedge = Some(told(HedgeOutcome::Nobody, None));
            return None;
        };
        let id = placement.endpoint().id();
        flight.report.hedge = Some(told(HedgeOutcome::Underway, Some(id)));
        let load = flight.placed_beside(placement, route.pipeline, route.snapshot);
        tracing::debug!(
            request_id = &*flight.report.request_id,
            "asking a second endpoint beside a silent one"
        );
        Some(Second {
            id,
            load,
            explanation,
        })
    }

    /// From the budget of second engines, and from that of all retries.
    fn pay(&self) -> bool {
        let Shared { hedges, budget, .. } = self.shared;
        if !hedges.spend() {
            return false;
        }
        let paid = budget.spend();
        if !paid {
            hedges.refund();
        }
        paid
    }
}

impl Traces<'_> {
    fn won<O>(&mut self, outcome: HedgeOutcome, opened: O) -> O {
        self.flight.hedge_ended(outcome);
        opened
    }

    /// One engine has failed while the other one is at work: nobody is told.
    fn lost(&mut self, id: EndpointId, error: RouteError) {
        self.tried.push(id);
        self.retries.lost(error);
    }

    /// The engine that was left has answered, or failed as well.
    fn ended<O>(
        &mut self,
        outcome: HedgeOutcome,
        opened: Result<O, RouteError>,
    ) -> Result<O, RouteError> {
        let outcome = match opened {
            Ok(_) => outcome,
            Err(_) => HedgeOutcome::Neither,
        };
        self.flight.hedge_ended(outcome);
        opened
    }
}
