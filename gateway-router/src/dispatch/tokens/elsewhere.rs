//! Asking another endpoint, and what the reader is told where none goes on.

use std::sync::Arc;

use gateway_proto::error::ApiError;

use super::{
    super::run::{Landed, run},
    attempt::{Begun, TokenWork},
};
use crate::{ErrorKind, Hints, Origin, Retry, RouteError, router::Shared, snapshot::Snapshot};

/// Begins `work` on an endpoint that is not among those that `failed`, the latest of them because of `why`.
pub(super) async fn begin(
    shared: Arc<Shared>,
    mut work: TokenWork,
    failed: Vec<Arc<str>>,
    why: RouteError,
) -> Result<Landed<Begun>, RouteError> {
    let snapshot = shared.snapshot.load_full();
    let model = &work.call.model;
    avoid(&mut work.hints, failed, &shared, &snapshot, model, &why);
    let begun = run(&shared, &snapshot, &work).await;
    begun.map_err(|error| {
        if error.kind() == ErrorKind::NoEndpoint {
            shared.migrations.refund();
        }
        worth_telling(why, error)
    })
}

/// Leaves out the endpoints that have failed. Where nobody else is there, those that failed earlier may be asked again, and
/// one that only ran out of room, too.
fn avoid(
    hints: &mut Hints,
    mut failed: Vec<Arc<str>>,
    shared: &Shared,
    snapshot: &Snapshot,
    model: &str,
    why: &RouteError,
) {
    let now = shared.clock.now();
    let is_left = |failed: &[Arc<str>]| {
        let mut endpoints = snapshot.fleet.endpoints().iter();
        endpoints.any(|one| {
            one.serves(model)
                && one.state().availability(now).is_up()
                && !failed.iter().any(|name| **name == *one.name())
        })
    };
    if !is_left(&failed) {
        failed.drain(..failed.len().saturating_sub(1));
    }
    if why.kind() == ErrorKind::Recomputed && !is_left(&failed) {
        failed.clear();
    }
    hints.avoid.extend(failed);
}

/// Whether an engine's failure leaves anything to another one: nobody else makes a wrong request right, or time longer.
pub(super) fn may_move(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Connect
            | ErrorKind::Closed
            | ErrorKind::Broken
            | ErrorKind::Timeout
            | ErrorKind::Busy
            | ErrorKind::EngineFailed
            | ErrorKind::Recomputed
    )
}

/// Of why the answer broke and why nobody took it up, what the caller can do more with. That nobody is left, or that the
/// rest of an answer is refused somewhere, is no news of the caller's request.
fn worth_telling(why: RouteError, then: RouteError) -> RouteError {
    let is_time = then.kind() == ErrorKind::OutOfTime;
    if is_time || then.origin() == Origin::Engine {
        then
    } else {
        why
    }
}

/// The error of an answer that cannot be taken up because of its form.
pub(super) fn within_a_form(error: &RouteError) -> RouteError {
    let message = "The engine failed in the middle of an answer that is held to a form. Another engine would have to begin \
                   the form anew: send the request again.";
    let api = ApiError::new(error.to_api().status, message).with_code("broken_in_form");
    RouteError::new(error.kind(), Retry::Never, api)
}

/// The error of a request that an engine threw out.
pub(super) fn thrown_out() -> RouteError {
    let message = "The engine ran out of room and gave the request up.";
    RouteError::engine(ErrorKind::Recomputed, Retry::OtherEndpoint, message)
}
