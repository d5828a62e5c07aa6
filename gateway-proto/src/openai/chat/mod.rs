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
mod answer;
mod logprobs;
mod message;
mod options;
mod reader;
mod reply;
mod request;
mod stream;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod tests;
mod tools;
mod whole;

pub use answer::encode_answer;
pub use reader::{ChunkReader, Progress};
pub use request::{decode_request, encode_request};
pub use stream::ChatStream;
pub use whole::read_answer;

/// What the ids of chat answers begin with.
const ID_PREFIX: &str = "chatcmpl-";
