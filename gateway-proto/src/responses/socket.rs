//! The WebSocket form: one JSON text per message.

use super::ResponsesRequest;
use super::node::{Node, invalid, shown};
use super::request::decode_node;
use super::stream::push_error;
use crate::dialect::DialectError;
use crate::error::ApiError;
use crate::json::push_u64;

/// Reads a client's message: `response.create`, the body of a request with its type.
///
/// The answer is always a stream, so `stream` and its options say nothing. Its events are those of
/// [`Framing::Lines`](super::Framing::Lines), each line one message.
///
/// # Errors
/// [`DialectError`] for other messages, for background responses, and as for any request.
pub fn decode_message(text: &[u8]) -> Result<ResponsesRequest, DialectError> {
    let mut node = Node::body(text)?;
    let kind: String = node.require("type")?;
    if kind != "response.create" {
        let why = format!("'{}' is not 'response.create'", shown(&kind));
        return Err(invalid("type".to_owned(), why));
    }
    for ignored in ["stream", "stream_options"] {
        node.take_raw(ignored);
    }
    let mut request = decode_node(node)?;
    if request.settings.background {
        let why = "responses over WebSocket cannot run in the background";
        return Err(invalid("background".to_owned(), why));
    }
    request.request.stream = true;
    request.request.include_usage = true;
    Ok(request)
}

/// The message that tells of an error outside of a response; `sequence` is the number of the connection's next event.
#[must_use]
pub fn error_message(error: &ApiError, sequence: u64) -> Vec<u8> {
    let mut out = b"{\"type\":\"error\",\"sequence_number\":".to_vec();
    push_u64(&mut out, sequence);
    push_error(error, &mut out);
    out.push(b'}');
    out
}
