//! What an engine's errors mean for the request and for its next try.

use gateway_proto::{
    engines::TokenFault,
    error::{ApiError, EngineFault},
};
use http::StatusCode;

use crate::{ErrorKind, Retry, RouteError};

/// The code of an error that is the engine's own.
const FAILED: &str = "engine_error";

/// The largest error reply that is read, in bytes.
pub(crate) const ERROR_REPLY_BYTES: usize = 64 << 10;

/// Reads an error reply. The caller's own errors are final and keep the engine's words (cleaned); what is the engine's
/// trouble may be tried elsewhere.
///
/// A 404 is final too: which endpoint serves which model is the fleet's knowledge, not to be found out by asking around.
/// A draining vLLM answers 500 while its health route stays 200, so a 500 means "elsewhere", not "broken request"; 503
/// and 429 mean "full"; 401 and 403 mean that the gateway's own credential for this engine is wrong, which is no
/// business of the caller's.
pub(crate) fn read(status: StatusCode, body: &[u8]) -> RouteError {
    of_fault(EngineFault::parse(status.as_u16(), body).error)
}

/// The same for an error that an engine told inside a stream, whose status is in its body.
pub(crate) fn of_fault(told: ApiError) -> RouteError {
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

/// The bad ending of a token stream. Until the first token was handed out it may be tried elsewhere.
pub(crate) fn of_token_fault(fault: &TokenFault) -> RouteError {
    let kind = match fault {
        TokenFault::Engine(told) => return of_fault(told.error.clone()),
        TokenFault::Aborted => ErrorKind::EngineFailed,
        // An engine that is well, but of the wrong kind.
        TokenFault::NoTokenIds => ErrorKind::Unsupported,
        TokenFault::Truncated | TokenFault::Oversized { .. } | TokenFault::Malformed => {
            ErrorKind::Broken
        }
    };
    RouteError::engine(kind, Retry::OtherEndpoint, sentence(fault))
}

/// What a fault says, as a sentence of its own.
fn sentence(fault: &TokenFault) -> String {
    let said = fault.to_string();
    let mut letters = said.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => said,
    }
}

fn refused_credential() -> RouteError {
    let api = ApiError::upstream("The engine refused the gateway's credential.");
    RouteError::new(ErrorKind::EngineFailed, Retry::OtherEndpoint, api)
}
