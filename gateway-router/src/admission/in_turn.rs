//! Placing a request when it is its turn.

use std::time::Duration;

use gateway_core::{
    NoEndpoint, Timestamp,
    admission::{Arrival, Refused},
    pipeline::{Full, Room},
};
use gateway_proto::error::ApiError;

use super::{
    Admission, AdmissionSettings,
    seat::{GivenUp, Sleeper},
};
use crate::{Clock, ErrorKind, Retry, RouteError};

/// A request that may wait.
pub(crate) struct Ask<'a> {
    pub(crate) model: &'a str,
    pub(crate) arrival: Arrival,
    /// When its own time is up.
    pub(crate) until: Timestamp,
}

/// Why a request was not placed.
pub(crate) enum Denied {
    /// It is its turn, and the settings are others than it has come with. It keeps its seat.
    Outdated,
    /// Nobody can take it, whatever room there is.
    Nobody(NoEndpoint),
    /// It waited, or was not even let wait.
    NoRoom(RouteError),
}

/// Places a request by `place`, at once where there is room and nobody waits, else when it is its turn; it waits on where
/// it has a `seat`.
pub(crate) async fn in_turn<'a, P>(
    admission: &'a Admission,
    settings: &AdmissionSettings,
    clock: Clock,
    ask: Ask<'_>,
    seat: &mut Option<Sleeper<'a>>,
    is_current: impl Fn() -> bool + Send,
    mut place: impl FnMut(Room<'_>) -> Result<P, NoEndpoint> + Send,
) -> Result<P, Denied> {
    let limits = &settings.room;
    let mut room_in = None;
    if seat.is_none() && !admission.has_line(ask.model) {
        let promised = &[];
        match place(Room { limits, promised }) {
            Ok(placed) => return Ok(placed),
            Err(nobody) => room_in = full(nobody)?.room_in,
        }
    }
    let Ask { model, arrival, .. } = ask;
    let mut sleeper = match seat.take() {
        Some(sleeper) => sleeper,
        None => {
            let joined = admission.join(&settings.policy, model, arrival, clock, ask.until);
            joined.map_err(|refused| Denied::NoRoom(queue_full(refused, room_in)))?
        }
    };
    loop {
        let turn = sleeper.turn().await;
        let promised = turn.map_err(|why| {
            let measured = admission.wait_of(model, arrival.priority, clock.now());
            Denied::NoRoom(given_up(why, sooner(measured, room_in)))
        })?;
        if !is_current() {
            *seat = Some(sleeper);
            return Err(Denied::Outdated);
        }
        let promised = &*promised;
        match place(Room { limits, promised }) {
            Ok(placed) => {
                sleeper.served();
                return Ok(placed);
            }
            Err(nobody) => {
                let full = full(nobody)?;
                room_in = full.room_in;
                sleeper.stands(full.endpoints);
            }
        }
    }
}

/// Who could take it if there were room; anything else is no reason to wait.
fn full(mut nobody: NoEndpoint) -> Result<Full, Denied> {
    nobody.full.take().ok_or(Denied::Nobody(nobody))
}

/// Of what was measured and what is predicted the smaller: whoever comes too early only asks again.
fn sooner(measured: Option<Duration>, predicted: Option<Duration>) -> Option<Duration> {
    let both = measured.zip(predicted);
    both.map_or(measured.or(predicted), |(one, other)| Some(one.min(other)))
}

fn queue_full(refused: Refused, room_in: Option<Duration>) -> RouteError {
    let message = "Too many requests wait for an engine already. Try again later.";
    let api = ApiError::new(429, message).with_code("queue_full");
    let wait = sooner(refused.retry_after, room_in);
    RouteError::new(ErrorKind::QueueFull, Retry::Never, api).with_retry_after(wait)
}

fn given_up(why: GivenUp, wait: Option<Duration>) -> RouteError {
    let (kind, api) = match why {
        GivenUp::Shed => {
            let message =
                "The request was given up for others of a higher priority. Try again later.";
            let api = ApiError::new(429, message).with_code("shed");
            (ErrorKind::Shed, api)
        }
        GivenUp::Overdue => {
            let message = "No engine had room for the request within the time it could wait. Try again later.";
            let api = ApiError::overloaded(message).with_code("queue_timeout");
            (ErrorKind::QueueTimeout, api)
        }
    };
    RouteError::new(kind, Retry::Never, api).with_retry_after(wait)
}
