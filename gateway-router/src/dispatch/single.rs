//! One exchange with one engine, up to what can be shown.

use std::time::Duration;

use gateway_core::EndpointId;
use tokio::time::timeout;

use super::{route::Route, work::Work};
use crate::{ErrorKind, Retry, RouteError, adapters, snapshot::Snapshot};

/// Asks the endpoint `id`, within the time that a request of this `age` may take.
pub(super) async fn open<W: Work>(
    work: &W,
    route: &Route<'_>,
    id: EndpointId,
    age: Duration,
) -> Result<W::Opened, RouteError> {
    let Route {
        snapshot, subject, ..
    } = route;
    let left = route.total().saturating_sub(age);
    let patience = if subject.engine_streams {
        left.min(snapshot.deadlines.first_byte)
    } else {
        left
    };
    let mut is_ready = !route.is_adapter;
    let opened = async {
        if route.is_adapter {
            snapshot.adapter_ready(id, subject.model).await?;
            is_ready = true;
        }
        work.open(snapshot, id, None).await
    };
    let opened = timeout(patience, opened).await;
    opened.unwrap_or_else(|_| {
        Err(if !is_ready && left > patience {
            adapters::failure(subject.model, "it took too long")
        } else {
            overdue(snapshot, left, patience)
        })
    })
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
