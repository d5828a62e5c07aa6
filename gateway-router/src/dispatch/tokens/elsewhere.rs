//! Asking another endpoint, and what the reader is told where none goes on.

use std::{sync::Arc, time::Duration};

use gateway_core::Endpoint;
use gateway_proto::error::ApiError;
use tokio::time::sleep;

use super::{
    super::{
        run::{Landed, run},
        work::Subject,
    },
    attempt::{Begun, TokenWork},
};
use crate::{ErrorKind, Origin, Retry, RouteError, router::Shared};

/// How long an answer waits for an endpoint to come up where all but those that failed it are down: a process that starts
/// anew, or a probe that a busy machine has missed.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Begins `work` on an endpoint that is not among those that `failed`, the latest of them because of `why`.
pub(super) async fn begin(
    shared: Arc<Shared>,
    mut work: TokenWork,
    failed: Vec<Arc<str>>,
    why: RouteError,
) -> Result<Landed<Begun>, RouteError> {
    work.hints.avoid.extend(failed);
    let snapshot = shared.snapshot.load_full();
    let begun = run(&shared, &snapshot, &work).await;
    begun.map_err(|error| {
        let was_not_sent = matches!(
            error.kind(),
            ErrorKind::NoEndpoint | ErrorKind::QueueFull | ErrorKind::QueueTimeout
        );
        if was_not_sent {
            shared.migrations.refund();
        }
        worth_telling(why, error)
    })
}

/// The endpoints that an answer which an engine failed is to keep away from, of those that `failed` it, the latest last.
/// Comes as soon as there is somebody beside them; where nobody could come up, or nobody does within the time `left`, it is
/// the latest.
pub(in crate::dispatch) async fn wait(
    shared: &Shared,
    subject: &Subject<'_>,
    cause: ErrorKind,
    left: Duration,
) -> Vec<Arc<str>> {
    let failed = &*subject.hints.avoid;
    let others = Others {
        shared,
        subject,
        cause,
    };
    let until = shared.clock.now().after(PATIENCE.min(left));
    loop {
        if let Some(avoid) = others.to_avoid(failed) {
            return avoid;
        }
        let latest = latest(failed);
        let is_over = shared.clock.now() >= until;
        if is_over || !others.are_there(latest, |_| true) {
            return latest.to_vec();
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Who is there beside the endpoints that have failed an answer.
struct Others<'a> {
    shared: &'a Shared,
    subject: &'a Subject<'a>,
    cause: ErrorKind,
}

impl Others<'_> {
    /// Where nobody else is up, those that failed earlier may be asked again, and one that only ran out of room, too.
    fn to_avoid(&self, failed: &[Arc<str>]) -> Option<Vec<Arc<str>>> {
        let now = self.shared.clock.now();
        let are_up = |avoided: &[Arc<str>]| {
            self.are_there(avoided, |one| one.state().availability(now).is_up())
        };
        let is_well = self.cause == ErrorKind::Recomputed;
        let mut ways = [failed, latest(failed)]
            .into_iter()
            .chain(is_well.then_some([].as_slice()));
        ways.find(|avoided| are_up(avoided)).map(<[_]>::to_vec)
    }

    /// Whether the fleet lists such an endpoint beside those `avoided`, that may take the rest of the answer.
    fn are_there(&self, avoided: &[Arc<str>], is_such: impl Fn(&Endpoint) -> bool) -> bool {
        let Subject { model, hints, .. } = self.subject;
        let is_asked_for = |one: &Endpoint| {
            let mut labels = hints.labels.iter();
            labels.all(|(label, value)| one.label(label) == Some(&**value))
        };
        let snapshot = self.shared.snapshot.load();
        let mut endpoints = snapshot.fleet.endpoints().iter();
        endpoints.any(|one| {
            one.serves(model)
                && one.spec().serves_whole()
                && is_asked_for(one)
                && is_such(one)
                && !avoided.iter().any(|name| **name == *one.name())
        })
    }
}

fn latest(failed: &[Arc<str>]) -> &[Arc<str>] {
    &failed[failed.len().saturating_sub(1)..]
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
