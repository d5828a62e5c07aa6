//! KV events that an engine keeps until it is asked for them.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt as _, Limited};
use tokio::time::timeout;

use super::{HttpEngine, side::NoAnswer};
use crate::{ErrorKind, Retry, RouteError};

/// How long an engine that has none may wait for some before it answers.
const LINGER: Duration = Duration::from_secs(5);
/// The largest answer, in bytes: some half a million tokens.
const ANSWER_BYTES: usize = 32 << 20;

/// What has gathered; `None` of an engine that keeps none.
pub(super) async fn take(engine: &HttpEngine) -> Result<Option<Bytes>, RouteError> {
    let Some(route) = engine.profile.events else {
        return Ok(None);
    };
    let asked = timeout(engine.side_timeout + LINGER, ask(engine, route)).await;
    let answer = asked.unwrap_or_else(|_| {
        Err(NoAnswer::Failed(failed(
            ErrorKind::Timeout,
            "did not answer in time",
        )))
    });
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(NoAnswer::NoRoute(_)) => Ok(None),
        Err(NoAnswer::Failed(error)) => Err(error),
    }
}

async fn ask(engine: &HttpEngine, route: &'static str) -> Result<Bytes, NoAnswer> {
    let reply = engine.post(route, HeaderMap::new(), Bytes::new(), engine.side_timeout);
    let reply = reply.await.map_err(NoAnswer::Failed)?;
    if !reply.status.is_success() {
        return Err(NoAnswer::of(reply.status));
    }
    let whole = Limited::new(reply.body, ANSWER_BYTES).collect().await;
    let broken = |_| NoAnswer::Failed(failed(ErrorKind::Broken, "gave an answer that broke off"));
    Ok(whole.map_err(broken)?.to_bytes())
}

fn failed(kind: ErrorKind, what: &str) -> RouteError {
    let message = format!("The engine {what} when it was asked for its KV events.");
    RouteError::engine(kind, Retry::OtherEndpoint, message)
}
