//! Placing a request when it is its turn.

use std::time::Duration;

use gateway_core::{
    NoEndpoint, Timestamp,
    admission::{Arrival, Refused},
    pipeline::{Full, Room},
};
use gateway_proto::error::ApiError;

use super::{Admission, AdmissionSettings, seat::GivenUp};
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
    /// Nobody can take it, whatever room there is.
    Nobody(NoEndpoint),
    /// It waited, or was not even let wait.
    NoRoom(RouteError),
}

/// Places a request by `place`, at once where there is room and nobody waits, else when it is its turn.
pub(crate) async fn in_turn<P>(
    admission: &Admission,
    settings: &AdmissionSettings,
    clock: Clock,
    ask: Ask<'_>,
    mut place: impl FnMut(Room<'_>) -> Result<P, NoEndpoint> + Send,
) -> Result<P, Denied> {
    let limits = &settings.room;
    let mut room_in = None;
    if !admission.has_line(ask.model) {
        let promised = &[];
        match place(Room { limits, promised }) {
            Ok(placed) => return Ok(placed),
            Err(nobody) => room_in = full(nobody)?.room_in,
        }
    }
    let Ask { model, arrival, .. } = ask;
    let joined = admission.join(&settings.policy, model, arrival, clock, ask.until);
    let mut sleeper = joined.map_err(|refused| Denied::NoRoom(queue_full(refused, room_in)))?;
    loop {
        let turn = sleeper.turn().await;
        let promised = turn.map_err(|why| {
            let measured = admission.wait_of(model, arrival.priority, clock.now());
            Denied::NoRoom(given_up(why, measured.or(room_in)))
        })?;
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

fn queue_full(refused: Refused, room_in: Option<Duration>) -> RouteError {
    let message = "Too many requests wait for an engine already. Try again later.";
    let api = ApiError::new(429, message).with_code("queue_full");
    let wait = refused.retry_after.or(room_in);
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
