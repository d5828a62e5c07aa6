//! What no dialect may ask for: the checks that every request passes before anything is rendered or sent.
//!
//! The decoders check types; [`check`] checks meaning: whom a tool's result answers, how deep a schema is, whether a
//! number is in range. Paths are written in the terms of the chat dialect, as `messages[2].tool_calls[0].id`.
//!
//! ```
//! use gateway_proto::{ir::check::{Limits, check}, openai::chat};
//!
//! let body = br#"{"model":"m","messages":[{"role":"tool","tool_call_id":"a","content":"4"}]}"#;
//! let error = check(&chat::decode_request(body)?, &Limits::default()).expect_err("nobody called");
//! assert_eq!(error.path, "messages[0].tool_call_id");
//! # Ok::<(), gateway_proto::openai::CodecError>(())
//! ```
mod error;
mod limits;
mod media;
mod messages;
mod numbers;
mod prompt;
mod schema;
#[cfg(test)]
mod tests;
mod tools;

pub use error::CheckError;
pub use limits::Limits;
pub use media::{MediaPart, first_media};

use super::Request;

/// Checks a request.
///
/// # Errors
/// The first thing found wrong.
pub fn check(request: &Request, limits: &Limits) -> Result<(), CheckError> {
    prompt::check(&request.prompt, limits)?;
    tools::check(request, limits)?;
    schema::check_format(&request.format, limits)?;
    numbers::check(request, limits)
}
