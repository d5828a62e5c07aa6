//! Completions, `POST /v1/completions`: text or token ids in, text out, and token ids where asked for.
mod answer;
mod echo;
mod logprobs;
mod request;
mod stream;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod tests;

pub use answer::encode_answer;
pub use echo::{echo_events, is_echo_alone};
pub use request::{decode_request, encode_request};
pub use stream::CompletionStream;

/// What the ids of completions begin with.
const ID_PREFIX: &str = "cmpl-";
