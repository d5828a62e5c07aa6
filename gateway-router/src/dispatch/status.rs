//! What an engine's error status means for the request and for its next try.

use gateway_proto::error::{ApiError, EngineFault};
use http::StatusCode;

use crate::{ErrorKind, Retry, RouteError};

/// Reads an error reply. The caller's own errors are final and keep the engine's words (cleaned); what is the engine's
/// trouble may be tried elsewhere.
///
/// A draining vLLM answers 500 while its health route stays 200, so a 500 means "elsewhere", not "broken request"; 503
/// and 429 mean "full"; 401 and 403 mean that the gateway's own credential for this engine is wrong, which is no
/// business of the caller's.
pub(super) fn read(status: StatusCode, body: &[u8]) -> RouteError {
    let told = EngineFault::parse(status.as_u16(), body).error;
    let (kind, retry) = match status.as_u16() {
        401 | 403 | 407 => (ErrorKind::EngineFailed, Retry::OtherEndpoint),
        404 => (ErrorKind::Rejected, Retry::OtherEndpoint),
        408 | 425 | 429 | 503 => (ErrorKind::Busy, Retry::OtherEndpoint),
        424 => (ErrorKind::EngineFailed, Retry::OtherEndpoint),
        501 => (ErrorKind::Rejected, Retry::Never),
        400..=499 => (ErrorKind::Rejected, Retry::Never),
        _ => (ErrorKind::EngineFailed, Retry::OtherEndpoint),
    };
    RouteError::new(kind, retry, for_caller(status, told))
}

fn for_caller(status: StatusCode, told: ApiError) -> ApiError {
    match status.as_u16() {
        401 | 403 | 407 => ApiError::upstream("The engine refused the gateway's credential."),
        _ => told,
    }
}
