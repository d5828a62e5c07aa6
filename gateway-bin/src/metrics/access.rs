//! The access line of requests that reach the router: one each, written when the request has ended and its status is
//! known.
//!
//! The router reports a failure, and a reply that came whole, before anybody has made a head of it. Such a report is
//! kept beside the request until the head is there; a stream's report comes when its head is long out.

use std::{cell::Cell, future::Future, pin::pin};

use gateway_router::RouteReport;
use tokio::task::futures::TaskLocalFuture;

use super::model::ending_name;

/// What streams are answered with: anything else would have been an error before the first event.
const STREAMED: u16 = 200;

tokio::task_local! {
    static EARLY: Early;
}

/// A report that waits for its status. Dropped with the request where the caller leaves before there is one.
#[derive(Default)]
struct Early(Cell<Option<RouteReport>>);

impl Early {
    fn tell(&self, status: Option<u16>) {
        if let Some(report) = self.0.take() {
            write(&report, status);
        }
    }
}

impl Drop for Early {
    fn drop(&mut self) {
        self.tell(None);
    }
}

/// Awaits `route`; `status` says what the caller is answered.
pub(crate) async fn answered<T>(
    route: impl Future<Output = T>,
    status: impl FnOnce(&T) -> u16,
) -> T {
    let mut route = pin!(EARLY.scope(Early::default(), route));
    let routed = route.as_mut().await;
    if let Some(early) = TaskLocalFuture::take_value(route) {
        early.tell(Some(status(&routed)));
    }
    routed
}

/// Takes what the router reports.
pub(super) fn report(report: &RouteReport) {
    let keep = |early: &Early| early.0.set(Some(report.clone()));
    if EARLY.try_with(keep).is_err() {
        write(report, Some(STREAMED));
    }
}

fn write(report: &RouteReport, status: Option<u16>) {
    // What is not known is left out: a reply that came whole has no first token, a stream may have no usage.
    tracing::info!(
        target: "gateway::access",
        request_id = &*report.request_id,
        model = &*report.model,
        endpoint = report.endpoint.as_deref().unwrap_or("-"),
        status,
        outcome = ending_name(report.ending),
        stream = report.stream,
        attempts = report.attempts,
        ttft_ms = report.ttft.map(|ttft| ttft.as_secs_f64() * 1e3),
        total_ms = report.total.as_secs_f64() * 1e3,
        prompt_tokens = report.usage.map(|usage| usage.prompt_tokens),
        completion_tokens = report.usage.map(|usage| usage.completion_tokens),
        cached_tokens = report.usage.and_then(|usage| usage.cached_tokens),
        "served"
    );
}
