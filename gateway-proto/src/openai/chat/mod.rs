//! Chat completions, `POST /v1/chat/completions`.
//!
//! ```
//! use gateway_proto::openai::chat;
//!
//! let body = br#"{"model":"m","messages":[{"role":"user","content":"hi"}],"best_of":4}"#;
//! let request = chat::decode_request(body)?;
//! assert_eq!(request.extra.raw("best_of"), Some("4"));
//! assert_eq!(chat::encode_request(&request), &body[..]);
//! # Ok::<(), gateway_proto::openai::CodecError>(())
//! ```
mod chunk;
mod message;
mod options;
mod reply;
mod request;
#[cfg(test)]
mod tests;
mod tools;

pub use chunk::{decode_chunk, encode_chunk};
pub use reply::{decode_reply, encode_reply};
pub use request::{decode_request, encode_request};
