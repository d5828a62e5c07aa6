//! The attempts of one request.

use std::{sync::Arc, time::Duration};

use gateway_core::{EndpointId, Explanation};

use super::{
    flight::Flight,
    hedge::{self, Traces, Twice},
    pair::{self, Broken, Way},
    place::{Placed, Unplaced, place},
    retries::Retries,
    route::Route,
    single,
    work::{Subject, Work},
};
use crate::{
    ErrorKind, HedgeReport, PairReport, PairSettings, RouteError, admission::Sleeper,
    router::Shared, snapshot::Snapshot,
};

/// An answer that has begun, with the guard over what is left of it.
pub(super) struct Landed<B> {
    pub(super) begun: B,
    pub(super) flight: Flight,
    pub(super) endpoint: Arc<str>,
    pub(super) explanation: Option<Box<Explanation>>,
    /// What became of splitting it, where that was not out of the question.
    pub(super) pair: Option<PairReport>,
    /// What became of a second engine, where one was called for.
    pub(super) hedge: Option<Box<HedgeReport>>,
    /// Engines that had died on the answer when this one began it.
    pub(super) deaths: u32,
}

/// Makes as many attempts as settings, budget and errors allow, each on another endpoint.
pub(super) async fn run<W: Work>(
    shared: &Shared,
    snapshot: &Arc<Snapshot>,
    work: &W,
) -> Result<Landed<W::Begun>, RouteError> {
    let subject = work.subject();
    if subject.leg.resumes.is_none() {
        shared.budget.earn(&snapshot.retry);
    }
    let mut flight = Flight::begin(&subject, Arc::clone(&shared.sink), shared.clock);
    let mut current = Arc::clone(snapshot);
    let mut seat = None;
    loop {
        let asked = (work, subject.clone());
        let tried = under(shared, &current, asked, &mut seat, &mut flight);
        // In a box, as whoever asks moves what he awaits about.
        match Box::pin(tried).await {
            Ok((begun, explanation, deaths)) => {
                return Ok(landed(begun, flight, explanation, deaths));
            }
            // Who has waited sees the endpoints that came meanwhile.
            Err(Unplaced::Outdated) => current = shared.snapshot.load_full(),
            Err(Unplaced::Failed(error)) => return Err(failed(&mut flight, error)),
        }
    }
}

/// [`run`] under one snapshot.
async fn under<'a, W: Work>(
    shared: &'a Shared,
    snapshot: &Snapshot,
    (work, subject): (&'a W, Subject<'a>),
    seat: &mut Option<Sleeper<'a>>,
    flight: &mut Flight,
) -> Result<(W::Begun, Option<Box<Explanation>>, u32), Unplaced> {
    let route = Route::of(work, subject, snapshot)?;
    let tried = route.avoided(shared, flight, seat.is_some()).await;
    if route.subject.leg.resumes.is_some() && !shared.is_current(snapshot) {
        // Whoever has come meanwhile is in the newest fleet alone.
        return Err(Unplaced::Outdated);
    }
    if seat.is_none() {
        hedge::earn(shared, &route);
    }
    let mut course = Course {
        shared,
        work,
        way: Way::of(snapshot, &route.subject, work.can_split()),
        tried,
        retries: Retries::behind(&route.subject.leg, shared.clock),
        route: &route,
    };
    let (opened, explanation) = course.follow(seat, flight).await?;
    let begun = work.begin(opened, snapshot, flight, route.total());
    Ok((begun, explanation, course.retries.deaths()))
}

/// An answer of which nothing was shown yet, with the record of the decision.
type Answer<O> = (O, Option<Box<Explanation>>);

/// A request on its way from attempt to attempt.
struct Course<'s, 'a, W> {
    shared: &'s Shared,
    work: &'a W,
    route: &'a Route<'a>,
    way: Option<Way<'a>>,
    tried: Vec<EndpointId>,
    retries: Retries,
}

impl<'s, W: Work> Course<'s, '_, W> {
    async fn follow(
        &mut self,
        seat: &mut Option<Sleeper<'s>>,
        flight: &mut Flight,
    ) -> Result<Answer<W::Opened>, Unplaced> {
        loop {
            let (shared, way) = (self.shared, self.way.as_ref());
            let placed = match place(shared, self.route, way, &self.tried, seat, flight).await {
                Ok(placed) => placed,
                Err(Unplaced::Outdated) => return Err(Unplaced::Outdated),
                Err(Unplaced::Failed(error)) => {
                    if error.kind() == ErrorKind::NoEndpoint && self.spares() {
                        continue;
                    }
                    return Err(self.retries.given_up(shared, error).into());
                }
            };
            let Placed { pair, explanation } = placed;
            let answered = match pair {
                None => self.whole(flight).await?,
                // In a box, so that requests for one engine do not carry its size about.
                Some(ids) => Box::pin(self.split(ids, flight)).await?,
            };
            if let Some((opened, own)) = answered {
                return Ok((opened, own.or(explanation)));
            }
        }
    }

    fn spares(&mut self) -> bool {
        let way = self.way.as_mut();
        way.is_some_and(|way| way.spare(&mut self.tried))
    }

    /// One attempt on one engine, or on two that are asked the same; `None` where another attempt may follow.
    async fn whole(
        &mut self,
        flight: &mut Flight,
    ) -> Result<Option<Answer<W::Opened>>, RouteError> {
        let id = flight.endpoint_id().expect("just placed");
        let opened = match hedge::after(self.route, flight) {
            None => {
                let opened = single::open(self.work, self.route, id, flight.age()).await;
                opened.map(|opened| (opened, None))
            }
            // As for pairs: most requests need none.
            Some(after) => Box::pin(self.twice(after, flight)).await,
        };
        let error = match opened {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => error,
        };
        self.tried.extend(flight.endpoint_id());
        flight.attempt_failed(&error);
        let snapshot = self.route.snapshot;
        self.retries.after(self.shared, snapshot, error, flight)?;
        Ok(None)
    }

    async fn twice(
        &mut self,
        after: Duration,
        flight: &mut Flight,
    ) -> Result<Answer<W::Opened>, RouteError> {
        let twice = Twice {
            shared: self.shared,
            work: self.work,
            route: self.route,
            way: self.way.as_ref(),
        };
        let mut traces = Traces {
            flight,
            retries: &mut self.retries,
            tried: &mut self.tried,
        };
        twice.open(after, &mut traces).await
    }

    /// One attempt on two engines that share it; `None` where another attempt may follow.
    async fn split(
        &mut self,
        ids: (EndpointId, EndpointId),
        flight: &mut Flight,
    ) -> Result<Option<Answer<W::Opened>>, RouteError> {
        let way = self.way.as_mut().expect("only such a way has pairs");
        match attempt_pair(
            self.shared,
            self.work,
            self.route,
            (ids, way.settings),
            flight,
        )
        .await
        {
            Ok(opened) => Ok(Some((opened, None))),
            Err(broken) => {
                flight.pair_failed(&broken);
                way.after(broken, ids, &mut self.tried, &mut self.retries)?;
                Ok(None)
            }
        }
    }
}

async fn attempt_pair<W: Work>(
    shared: &Shared,
    work: &W,
    route: &Route<'_>,
    ((prefill, decode), settings): ((EndpointId, EndpointId), PairSettings),
    flight: &mut Flight,
) -> Result<W::Opened, Broken> {
    let call = pair::Call {
        work,
        snapshot: route.snapshot,
        prefill,
        decode,
        settings,
        total: route.total(),
    };
    pair::drive(shared, &call, flight).await
}

fn landed<B>(
    begun: B,
    flight: Flight,
    explanation: Option<Box<Explanation>>,
    deaths: u32,
) -> Landed<B> {
    let endpoint = flight.report.endpoint.clone();
    Landed {
        begun,
        pair: flight.report.pair.clone(),
        hedge: flight.report.hedge.clone(),
        endpoint: endpoint.expect("an attempt has an endpoint"),
        flight,
        explanation,
        deaths,
    }
}

fn failed(flight: &mut Flight, error: RouteError) -> RouteError {
    flight.report.status = Some(error.to_api().status);
    flight.fail(error.kind(), None);
    error
}
