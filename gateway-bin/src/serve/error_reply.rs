//! The one place where an error becomes an HTTP reply.

use std::time::Duration;

use gateway_govern::keys::Denied;
use gateway_proto::{error::ApiError, openai::RequestError};
use gateway_router::{ErrorKind, Origin, ReplyBody, RouteError};
use http::{HeaderValue, Response, StatusCode, header};

use super::{envelope::Envelope, request_id::RequestId};
use crate::metrics::Rejection;

/// Seconds after which a busy gateway may be asked again, where nothing better is known.
const RETRY_AFTER_SECONDS: u32 = 1;

/// Why a request is not served.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What the caller is told.
    pub(super) api: ApiError,
    /// Where it was turned away; `None` once the router has it, which tells its own story.
    pub(super) at: Option<Rejection>,
    /// Seconds after which it is worth asking again.
    pub(super) retry_after: Option<u32>,
}

impl Refusal {
    pub(super) fn new(api: ApiError, at: Rejection) -> Self {
        Self {
            retry_after: soon(&api),
            api,
            at: Some(at),
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let at = if matches!(denied, Denied::Model(_)) {
            Rejection::Model
        } else {
            Rejection::Key
        };
        Self::new(denied.to_api(), at)
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self::new(error.into(), Rejection::Invalid)
    }
}

impl From<RouteError> for Refusal {
    /// An engine's failure always gets a code; its own refusals of a request keep the engine's, which may be none.
    fn from(error: RouteError) -> Self {
        let mut api = error.to_api().clone();
        if api.code.is_none() && error.origin() != Origin::Client {
            api.code = Some(error.kind().name().into());
        }
        // Who was told a time is told that one. Whoever is predicted to be too late and was not told any: no wait helps. When
        // endpoints that are out come back is known or not.
        let told = error.retry_after().map(whole_seconds);
        let retry_after = match error.kind() {
            ErrorKind::TooLate | ErrorKind::NoEndpoint => told,
            _ => told.or_else(|| soon(&api)),
        };
        // Refused by the model at the edge, the request has not come to where its story is told.
        let is_ours = error.kind() == ErrorKind::BadRequest;
        Self {
            api,
            at: is_ours.then_some(Rejection::Invalid),
            retry_after,
        }
    }
}

/// When to ask again after an error that passes.
fn soon(api: &ApiError) -> Option<u32> {
    matches!(api.status, 429 | 503).then_some(RETRY_AFTER_SECONDS)
}

/// Whole seconds, rounded up: whoever comes back then is not too early.
fn whole_seconds(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
}

/// The status that the caller gets.
pub(super) fn status(served: &Result<Response<ReplyBody>, Refusal>) -> u16 {
    match served {
        Ok(reply) => reply.status().as_u16(),
        Err(refusal) => refusal.api.status,
    }
}

/// The reply that tells of `refusal` in the form that its caller reads.
pub(super) fn reply(refusal: &Refusal, id: &RequestId, envelope: Envelope) -> Response<ReplyBody> {
    let error = &refusal.api;
    let mut reply = Response::new(ReplyBody::from(envelope.body(error, &id.text)));
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    reply
}
