//! Room: endpoints that would only queue a request are ruled out, where it can wait in a better queue.

use std::{mem, time::Duration};

use super::{Explanation, FilteredOut};
use crate::{EndpointId, RouteCx, Stage, load::Freshness, plugin::Candidate, span_of_millis};

/// The name under which explanations list it.
const NAME: &str = "room";

/// When an endpoint has room for one more request. An endpoint without any request always has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoomLimits {
    /// How long a request may be predicted to wait there, for prompts ahead, a place in the batch and KV cache, before
    /// its own prompt begins. Enough that an engine never runs dry, and no more: what waits there can no longer be put
    /// in order, or elsewhere.
    pub wait: Duration,
    /// Requests there at most, where so many are known to be enough: this router's own as booked, those of others while
    /// the engine's word is fresh.
    pub requests: Option<u32>,
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(5),
            requests: None,
        }
    }
}

/// What counts as room for one request.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    /// When an endpoint has some.
    pub limits: &'a RoomLimits,
    /// Endpoints whose next room is promised to those ahead in the queue.
    pub promised: &'a [EndpointId],
}

/// Who could take a request if there were room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full {
    /// They, at least one.
    pub endpoints: Box<[EndpointId]>,
    /// When the first of them is predicted to have room, where that can be said.
    pub room_in: Option<Duration>,
}

impl Full {
    /// `endpoints`, of which nothing is predicted; `None` where there are none.
    pub(super) fn of(endpoints: Vec<EndpointId>) -> Option<Self> {
        (!endpoints.is_empty()).then(|| Self {
            endpoints: endpoints.into(),
            room_in: None,
        })
    }

    /// Either these or `more`, which may be some of the same.
    pub(super) fn join(&mut self, more: &Self) {
        let mut endpoints = mem::take(&mut self.endpoints).into_vec();
        let new = more.endpoints.iter();
        let new: Vec<_> = new.filter(|id| !endpoints.contains(id)).copied().collect();
        endpoints.extend(new);
        self.endpoints = endpoints.into();
        let both = self.room_in.zip(more.room_in);
        let either = self.room_in.or(more.room_in);
        self.room_in = both.map_or(either, |(one, other)| Some(one.min(other)));
    }
}

/// Rules out who has no room of `candidates`, at least one.
pub(super) fn apply(
    cx: &RouteCx<'_>,
    candidates: &mut Vec<Candidate<'_>>,
    record: Option<&mut Explanation>,
) -> Result<(), Full> {
    let Some(room) = cx.room else {
        return Ok(());
    };
    let endpoints: Vec<_> = candidates.iter().map(|one| one.endpoint.id()).collect();
    let mut room_ms = f64::INFINITY;
    let mut full = Vec::new();
    candidates.retain(|candidate| {
        let excess_ms = excess_ms(cx, room.limits, candidate);
        let is_promised = room.promised.contains(&candidate.endpoint.id());
        if let Some(ms) = excess_ms {
            room_ms = room_ms.min(ms);
        }
        let has_room = excess_ms.is_none() && !is_promised;
        if !has_room && record.is_some() {
            full.push(candidate.endpoint.name().to_owned());
        }
        has_room
    });
    if candidates.is_empty() {
        return Err(Full {
            endpoints: endpoints.into(),
            room_in: room_ms.is_finite().then(|| span_of_millis(room_ms)),
        });
    }
    if let Some(record) = record {
        let filtered = full.into_iter();
        let filtered = filtered.map(|endpoint| FilteredOut::new(endpoint, NAME));
        record.filtered.extend(filtered);
    }
    Ok(())
}

/// By how much the wait there is too long, `None` where there is room. Infinite where time says nothing.
fn excess_ms(cx: &RouteCx<'_>, limits: &RoomLimits, candidate: &Candidate<'_>) -> Option<f64> {
    let ours = candidate.endpoint.state().requests();
    let requests = match candidate.load.telemetry {
        Freshness::Fresh => candidate.load.requests,
        _ => ours,
    };
    if requests == 0 {
        return None;
    }
    if limits.requests.is_some_and(|most| requests >= most) {
        return Some(f64::INFINITY);
    }
    let forecast = candidate.forecast(cx);
    // A decode engine's prompts are computed elsewhere; what counts there are places and memory.
    let wait_ms = match cx.stage {
        Stage::Decode => forecast.admission_ms,
        _ => forecast.wait_ms + forecast.admission_ms,
    };
    let excess_ms = wait_ms - limits.wait.as_secs_f64() * 1_000.0;
    (excess_ms > 0.0).then_some(excess_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EndpointSpec, Fleet, NoEndpoint, Pipeline, Placement, Rng, Timestamp};

    const NOW: Timestamp = Timestamp::from_millis(1);

    fn fleet() -> Fleet {
        let specs = ["a", "b"].map(|name| EndpointSpec::new(name).model("m"));
        Fleet::new(specs).expect("valid")
    }

    fn place(
        fleet: &Fleet,
        limits: &RoomLimits,
        promised: &[EndpointId],
        now: Timestamp,
    ) -> Result<Placement, NoEndpoint> {
        let mut cx = RouteCx::new("m", now).prompt(20_000, &[], 0).output(10);
        cx.room = Some(Room { limits, promised });
        Pipeline::default().place(fleet, &cx, &mut Rng::from_seed(1))
    }

    #[test]
    fn requests_are_placed_until_the_wait_is_too_long_and_again_when_it_is_not() {
        let fleet = fleet();
        let limits = RoomLimits::default();
        let mut held = Vec::new();
        let full = loop {
            match place(&fleet, &limits, &[], NOW) {
                Ok(placement) => held.push(placement),
                Err(nobody) => break nobody.full.expect("for want of room"),
            }
            assert!(held.len() < 1_000);
        };
        let longest = held.iter().map(|one| one.forecast().wait_ms);
        let longest = longest.fold(0.0, f64::max);
        assert!((1_000.0..=5_000.0).contains(&longest), "{longest}");
        assert_eq!(full.endpoints.len(), 2);
        let wait = full.room_in.expect("predicted");
        let then = NOW.after(wait + Duration::from_millis(1));
        let next = place(&fleet, &limits, &[], then).expect("as predicted");
        drop(next);
        held.pop();
        drop(place(&fleet, &limits, &[], NOW).expect("somebody left"));
    }

    #[test]
    fn room_that_is_promised_is_nobody_elses() {
        let fleet = fleet();
        let id = |name| fleet.by_name(name).expect("there").id();
        let limits = RoomLimits::default();
        let placed = place(&fleet, &limits, &[id("a")], NOW).expect("b has room");
        assert_eq!(placed.endpoint().name(), "b");
        let both = [id("a"), id("b")];
        let nobody = place(&fleet, &limits, &both, NOW).expect_err("none is left");
        assert_eq!(nobody.full.expect("promised").endpoints.len(), 2);
    }

    #[test]
    fn counts_bound_as_well_and_an_idle_endpoint_always_has_room() {
        let fleet = fleet();
        let limits = RoomLimits {
            wait: Duration::ZERO,
            requests: Some(1),
        };
        let _held = [0, 1].map(|_| place(&fleet, &limits, &[], NOW).expect("idle"));
        let nobody = place(&fleet, &limits, &[], NOW).expect_err("one each");
        let full = nobody.full.expect("for want of room");
        assert_eq!(full.room_in, None, "no time is predicted for a count");
    }

    #[test]
    fn a_hard_filter_about_load_makes_requests_wait_and_others_do_not() {
        use crate::plugins::filters::{Healthy, Saturation, SaturationParams, ServesModel};
        let fleet = fleet();
        let limits = RoomLimits::default();
        let params = SaturationParams {
            max_requests: Some(1),
            ..SaturationParams::default()
        };
        let pipeline = Pipeline::builder()
            .filter("full", Saturation::new(params).expect("valid"))
            .filter("healthy", Healthy)
            .filter("serves-model", ServesModel)
            .build();
        let mut cx = RouteCx::new("m", NOW).prompt(10, &[], 0);
        cx.room = Some(Room {
            limits: &limits,
            promised: &[],
        });
        let mut rng = Rng::from_seed(1);
        let _held = [0, 1].map(|_| pipeline.place(&fleet, &cx, &mut rng).expect("room"));
        fleet.endpoints()[1].state().set_draining(true);
        let nobody = pipeline.place(&fleet, &cx, &mut rng).expect_err("full");
        let full = nobody.full.expect("for want of room");
        assert_eq!(
            *full.endpoints,
            [fleet.endpoints()[0].id()],
            "not on who drains"
        );
        cx.model = "other";
        let nobody = pipeline.place(&fleet, &cx, &mut rng).expect_err("no model");
        assert_eq!(nobody.full, None, "no wait helps");
    }
}
