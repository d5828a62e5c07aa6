//! The one error of this crate.

use std::{fmt, time::Duration};

use gateway_proto::{engines::Unsupported, error::ApiError};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is not what the route takes.
    BadRequest,
    /// No endpoint serves the model.
    UnknownModel,
    /// Every endpoint is ruled out just now.
    NoEndpoint,
    /// No connection to the engine.
    Connect,
    /// The engine closed the connection before it answered.
    Closed,
    /// The engine's reply broke off or made no sense.
    Broken,
    /// The engine was silent for too long.
    Timeout,
    /// No endpoint is predicted to answer before the request's deadline.
    TooLate,
    /// The request used up the time it may take in all; says nothing about the engine.
    OutOfTime,
    /// There was no place for it in the line of those who wait for an engine with room.
    QueueFull,
    /// It waited for an engine with room and was given up for others that matter more.
    Shed,
    /// No engine had room for it within the time it could wait.
    QueueTimeout,
    /// The engine is full.
    Busy,
    /// The engine failed the request.
    EngineFailed,
    /// The engine ran out of room and threw the request out, to be computed again; it is none the worse for it.
    Recomputed,
    /// The engine does not have the LoRA adapter and cannot load it; it is none the worse for it.
    AdapterNotLoaded,
    /// The engine refused the request as the caller's own error.
    Rejected,
    /// The engine cannot do what the request asks; it is none the worse for it.
    Unsupported,
    /// The gateway itself failed.
    Internal,
}

impl ErrorKind {
    /// The name used in metrics and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::UnknownModel => "unknown_model",
            Self::NoEndpoint => "no_endpoint",
            Self::Connect => "connect",
            Self::Closed => "closed",
            Self::Broken => "broken",
            Self::Timeout => "timeout",
            Self::TooLate => "too_late",
            Self::OutOfTime => "out_of_time",
            Self::QueueFull => "queue_full",
            Self::Shed => "shed",
            Self::QueueTimeout => "queue_timeout",
            Self::Busy => "busy",
            Self::EngineFailed => "engine_failed",
            Self::Recomputed => "recomputed",
            Self::AdapterNotLoaded => "adapter_not_loaded",
            Self::Rejected => "rejected",
            Self::Unsupported => "unsupported",
            Self::Internal => "internal",
        }
    }
}

/// Whose error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The caller's.
    Client,
    /// The gateway's, or nobody's.
    Gateway,
    /// The engine's.
    Engine,
}

/// Whether another try can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// No.
    Never,
    /// Once more, but no further: the request itself may be what kills engines.
    OtherEndpointOnce,
    /// Yes, elsewhere.
    OtherEndpoint,
}

/// Why a request was not served. Failover decides by [`kind`](Self::kind), [`origin`](Self::origin) and
/// [`retry`](Self::retry) alone; callers get [`to_api`](Self::to_api).
#[derive(Clone, Debug)]
pub struct RouteError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    retry: Retry,
    retry_after: Option<Duration>,
    api: ApiError,
}

impl RouteError {
    /// An error with what the caller is to be told.
    #[must_use]
    pub fn new(kind: ErrorKind, retry: Retry, api: ApiError) -> Self {
        Self(Box::new(Inner {
            kind,
            retry,
            retry_after: None,
            api,
        }))
    }

    /// The same error, with when it is worth the caller's while to ask again.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// When it is worth the caller's while to ask again, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whose error it is.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self.0.kind {
            ErrorKind::BadRequest
            | ErrorKind::UnknownModel
            | ErrorKind::Rejected
            | ErrorKind::Unsupported => Origin::Client,
            ErrorKind::NoEndpoint
            | ErrorKind::TooLate
            | ErrorKind::OutOfTime
            | ErrorKind::QueueFull
            | ErrorKind::Shed
            | ErrorKind::QueueTimeout => Origin::Gateway,
            _ => Origin::Engine,
        }
    }

    /// Whether another try can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The same error, of a request that another endpoint may be asked.
    pub(crate) fn elsewhere(mut self) -> Self {
        self.0.retry = Retry::OtherEndpoint;
        self
    }

    /// What the caller is told, without a word of the engine's inner life.
    #[must_use]
    pub fn to_api(&self) -> &ApiError {
        &self.0.api
    }

    pub(crate) fn engine(kind: ErrorKind, retry: Retry, message: impl Into<String>) -> Self {
        let message = message.into();
        let api = match kind {
            ErrorKind::Timeout | ErrorKind::OutOfTime => ApiError::timeout(message),
            ErrorKind::Busy | ErrorKind::NoEndpoint => ApiError::overloaded(message),
            _ => ApiError::upstream(message),
        };
        Self::new(kind, retry, api)
    }
}

/// Another endpoint may be of another kind, so it may be tried elsewhere.
impl From<Unsupported> for RouteError {
    fn from(unsupported: Unsupported) -> Self {
        let mut api =
            ApiError::invalid_request(format!("{unsupported}.")).with_code("unsupported_by_engine");
        if let Unsupported::Field { field, .. } = unsupported {
            api = api.with_param(field);
        }
        Self::new(ErrorKind::Unsupported, Retry::OtherEndpoint, api)
    }
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.name(), self.0.api.message)
    }
}

impl std::error::Error for RouteError {}
