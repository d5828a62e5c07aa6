//! Small questions beside the work: is it well, how busy is it, what does it serve.

use bytes::Bytes;
use http::StatusCode;

use super::{HttpEngine, http::unsent, rungs::Rung};
use crate::{
    ErrorKind, Retry, RouteError,
    wire::{SendError, Target},
};

/// Why a question has no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The engine lives and has no such route, or has it switched off.
    NoRoute(StatusCode),
    /// It failed.
    Failed(RouteError),
}

impl NoAnswer {
    pub(super) fn of(status: StatusCode) -> Self {
        // llama.cpp's server says 501 of what it was not started with.
        match status.as_u16() {
            404 | 405 | 501 => Self::NoRoute(status),
            _ => Self::Failed(unwell(status)),
        }
    }
}

impl From<NoAnswer> for RouteError {
    fn from(none: NoAnswer) -> Self {
        match none {
            NoAnswer::NoRoute(status) => unwell(status),
            NoAnswer::Failed(error) => error,
        }
    }
}

fn unwell(status: StatusCode) -> RouteError {
    let message = format!("The engine answered {} to a probe.", status.as_u16());
    RouteError::engine(ErrorKind::EngineFailed, Retry::OtherEndpoint, message)
}

/// The error of a question that found no ear. Engines that speak TLS answer what is not TLS with an alert, or not at all.
pub(super) fn unasked(target: &Target, error: SendError) -> RouteError {
    let what = match &error {
        SendError::Garbled => "The engine's reply is no HTTP",
        SendError::Closed { .. } => "The engine closed the connection before it answered",
        SendError::Connect(_) => return unsent(error),
    };
    if target.is_secure() {
        return unsent(error);
    }
    let error = unsent(error);
    let message = format!("{what}. If it speaks TLS, write its address with https://.");
    RouteError::engine(error.kind(), error.retry(), message)
}

/// Asks the first of `routes` that the engine has; without any it is not well.
pub(super) async fn first_of(
    engine: &HttpEngine,
    routes: &'static [&'static str],
    rung: &Rung,
) -> Result<Bytes, RouteError> {
    let mut missing = StatusCode::NOT_FOUND;
    let known = rung.known().min(routes.len().saturating_sub(1));
    for (at, route) in routes.iter().enumerate().skip(known) {
        match engine.fetch(route).await {
            Ok(answer) => {
                rung.settle(at);
                return Ok(answer);
            }
            Err(NoAnswer::NoRoute(status)) => missing = status,
            Err(NoAnswer::Failed(error)) => return Err(error),
        }
    }
    // It may be another engine by now.
    rung.forget();
    Err(NoAnswer::NoRoute(missing).into())
}

impl HttpEngine {
    /// A small `GET` whose whole answer matters.
    pub(super) async fn fetch(&self, route: &'static str) -> Result<Bytes, NoAnswer> {
        let (status, whole) = self.ask(route).await.map_err(NoAnswer::Failed)?;
        if status.is_success() {
            Ok(whole)
        } else {
            Err(NoAnswer::of(status))
        }
    }
}
