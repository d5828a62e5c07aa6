//! Anthropic Messages, `POST /v1/messages` and `POST /v1/messages/count_tokens`.
//!
//! A request becomes the neutral [`Request`](crate::ir::Request) with [`decode_request`]; the answer goes back through
//! [`MessageStream`] or [`encode_answer`]; errors have their own envelope, [`error_body`].
//!
//! ```
//! use gateway_proto::anthropic;
//! use gateway_proto::ir::{Content, Prompt};
//!
//! let body = br#"{"model":"m","max_tokens":64,"messages":[{"role":"user","content":"hi"}]}"#;
//! let request = anthropic::decode_request(body)?;
//! let Prompt::Messages(messages) = &request.prompt else { unreachable!() };
//! assert_eq!(messages[0].content, Some(Content::Text("hi".into())));
//!
//! let fault = anthropic::decode_request(br#"{"model":"m","messages":[]}"#).unwrap_err();
//! assert_eq!(fault.path.as_deref(), Some("max_tokens"));
//! # Ok::<(), gateway_proto::dialect::DialectError>(())
//! ```
//!
//! # What has no counterpart
//! * `cache_control` is accepted everywhere and dropped: the engines cache every prefix, and a mark that moves from turn
//!   to turn would only make equal prefixes look different.
//! * Tools with `defer_loading` are shown to the model from the start, so tool search tools have nothing to do and are
//!   left out; a `tool_reference` in a result becomes a line of text.
//! * Tools that Anthropic runs or defines (`web_search_...`, `bash_...`), MCP servers and the blocks such tools leave in
//!   a conversation are refused with the name of the field: nobody here could run them.
//! * `thread` is refused with the code on which clients that would have the conversation kept send all of it themselves.
//! * `thinking.display` is accepted; thinking is always shown, since the model sees of its earlier reasoning only what
//!   the client sends back.
//! * There is one choice; events of others are not written.
mod answer;
mod document;
mod ending;
mod error;
mod read;
mod request;
mod signature;
mod stream;
#[cfg(test)]
mod tests;

pub use answer::{encode_answer, encode_count};
pub use error::error_body;
pub use request::{decode_count, decode_request};
pub use stream::MessageStream;
