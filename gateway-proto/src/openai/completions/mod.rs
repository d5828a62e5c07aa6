//! Completions, `POST /v1/completions`: text or token ids in, text out, and token ids where asked for.
mod chunk;
mod reply;
mod request;
#[cfg(test)]
mod tests;

pub use chunk::{decode_chunk, encode_chunk};
pub use reply::{decode_reply, encode_reply};
pub use request::{decode_request, encode_request};
