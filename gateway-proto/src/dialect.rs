//! What every dialect's stream writer has in common.

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
