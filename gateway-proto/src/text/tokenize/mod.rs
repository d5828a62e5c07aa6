//! Text to token ids, with what was encoded before remembered at boundaries that are proven safe.
//!
//! * [`Tokenizer`] reads `tokenizer.json` (and what `tokenizer_config.json` changes about it) and encodes as the Python
//!   packages `tokenizers` and `transformers` do.
//! * [`TurnCache`] encodes a conversation that grows turn by turn: only what is new is encoded.
//! * [`Boundaries`] says where a text may be cut without changing its ids.

mod alphabet;
mod boundary;
mod cache;
mod config;
mod decoder;
mod error;
mod shape;
mod special;
#[cfg(test)]
mod tests;
mod tokenizer;
mod vocabulary;

pub use boundary::{Boundaries, Refusal};
pub use cache::{CacheConfig, CacheStats, Encoded, TurnCache};
pub use error::TokenizerError;
pub use special::SpecialTokens;
pub use tokenizer::Tokenizer;

pub(in crate::text) use decoder::{Decoder, Pieces};
