//! The one place where an error becomes an HTTP reply.

use gateway_govern::keys::Denied;
use gateway_proto::{error::ApiError, openai::RequestError};
use gateway_router::{Origin, ReplyBody, RouteError};
use http::{HeaderValue, Response, StatusCode, header};

use super::request_id::RequestId;
use crate::metrics::Rejection;

/// Seconds after which a busy gateway may be asked again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Why a request is not served.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What the caller is told.
    pub(super) api: ApiError,
    /// Where it was turned away; `None` once the router has it, which tells its own story.
    pub(super) at: Option<Rejection>,
}

impl Refusal {
    pub(super) fn new(api: ApiError, at: Rejection) -> Self {
        Self { api, at: Some(at) }
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
        Self { api, at: None }
    }
}

/// The reply that tells `error`.
pub(super) fn reply(error: &ApiError, id: &RequestId) -> Response<ReplyBody> {
    let mut reply = Response::new(ReplyBody::from(error.to_json(Some(&id.text))));
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    match status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        _ => {}
    }
    reply
}
