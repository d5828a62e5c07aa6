//! Failures as the client of a real engine tells them.

use gateway_router::{ErrorKind, Retry, RouteError, proto::error::ApiError};

fn error(kind: ErrorKind, retry: Retry, message: &str) -> RouteError {
    RouteError::new(kind, retry, ApiError::upstream(message))
}

/// Nobody listens.
pub(super) fn unreachable() -> RouteError {
    error(ErrorKind::Connect, Retry::OtherEndpoint, "Unreachable.")
}

/// The connection closed before the answer began.
pub(super) fn closed() -> RouteError {
    error(ErrorKind::Closed, Retry::OtherEndpointOnce, "Closed.")
}

/// The answer broke off.
pub(super) fn broken() -> RouteError {
    error(ErrorKind::Broken, Retry::OtherEndpoint, "Broken off.")
}

/// The engine said that it failed, or gave the answer up.
pub(super) fn failed() -> RouteError {
    error(ErrorKind::EngineFailed, Retry::OtherEndpoint, "Failed.")
}

pub(super) fn refused(status: u16) -> RouteError {
    match status {
        429 | 503 => error(ErrorKind::Busy, Retry::OtherEndpoint, "Full."),
        _ => failed(),
    }
}
