//! What every dialect's readers and stream writers have in common.

use crate::error::ApiError;
use crate::ir::Event;

/// Writes an answer's events as server-sent events of one dialect, framing included.
///
/// The calls are [`event`](Self::event) any number of times, then either [`finish`](Self::finish) or
/// [`fail`](Self::fail), once. What opens a stream (a role, `message_start`, `response.created`) goes out with the first
/// call; [`Event::Failed`] is the same as `fail`.
pub trait StreamEncoder: Send {
    /// Appends what tells of `event` to `out`; some events say nothing by themselves.
    fn event(&mut self, event: &Event, out: &mut Vec<u8>);

    /// Appends what ends a whole stream.
    fn finish(&mut self, out: &mut Vec<u8>);

    /// Appends one error event; nothing that looks like a good ending follows it.
    fn fail(&mut self, error: &ApiError, out: &mut Vec<u8>);
}

/// A request that is not what its dialect says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DialectError {
    /// The member at fault, in the dialect's way of writing paths; `None` for the body as a whole.
    pub path: Option<String>,
    /// What is wrong and what to do, for the caller's eyes.
    pub message: String,
    /// A stable word for programs, where the dialect has one.
    pub code: Option<&'static str>,
}

impl DialectError {
    /// A fault of the body as a whole.
    #[must_use]
    pub fn body(message: impl Into<String>) -> Self {
        Self {
            path: None,
            message: message.into(),
            code: None,
        }
    }

    /// A fault of the member at `path`.
    #[must_use]
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: Some(path.into()),
            ..Self::body(message)
        }
    }

    /// The same fault with a stable code.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }
}

impl From<DialectError> for ApiError {
    /// A 400 that names the member.
    fn from(fault: DialectError) -> Self {
        let mut error = Self::invalid_request(fault.message);
        error.code = fault.code.map(Into::into);
        error.param = fault.path;
        error
    }
}
