//! What an engine's error status means for the request and for its next try.

use gateway_proto::error::{ApiError, EngineFault};
use http::StatusCode;

use crate::{ErrorKind, Retry, RouteError};

/// The code of an error that is the engine's own.
const FAILED: &str = "engine_error";

/// Reads an error reply. The caller's own errors are final and keep the engine's words (cleaned); what is the engine's
/// trouble may be tried elsewhere.
///
/// A 404 is final too: which endpoint serves which model is the fleet's knowledge, not to be found out by asking around.
/// A draining vLLM answers 500 while its health route stays 200, so a 500 means "elsewhere", not "broken request"; 503
/// and 429 mean "full"; 401 and 403 mean that the gateway's own credential for this engine is wrong, which is no
/// business of the caller's.
pub(super) fn read(status: StatusCode, body: &[u8]) -> RouteError {
    of_fault(EngineFault::parse(status.as_u16(), body).error)
}

/// The same for an error that an engine told inside a stream, whose status is in its body.
pub(super) fn of_fault(told: ApiError) -> RouteError {
    let (kind, retry, word) = match told.status {
        401 | 403 | 407 => return refused_credential(),
        408 | 425 | 429 | 503 => (ErrorKind::Busy, Retry::OtherEndpoint, "overloaded"),
        424 => (ErrorKind::EngineFailed, Retry::OtherEndpoint, FAILED),
        400..=499 | 501 => (ErrorKind::Rejected, Retry::Never, "rejected_by_engine"),
        _ => (ErrorKind::EngineFailed, Retry::OtherEndpoint, FAILED),
    };
    // Engines mostly repeat the status as their code, which is no word that a program can hold on to.
    let told = if told.code.is_some() {
        told
    } else {
        told.with_code(word)
    };
    RouteError::new(kind, retry, told)
}

fn refused_credential() -> RouteError {
    let api = ApiError::upstream("The engine refused the gateway's credential.");
    RouteError::new(ErrorKind::EngineFailed, Retry::OtherEndpoint, api)
}
