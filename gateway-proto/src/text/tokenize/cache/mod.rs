//! What was encoded before, by prefix of a text.
//!
//! Texts are cut at [`Boundaries`](super::Boundaries) into segments. A segment is kept under the segments before it, so
//! that conversations with a beginning in common share it, and a later turn of a conversation finds all but its last
//! segments. A segment found is compared with the text byte by byte: equal hashes alone never decide.

mod node;
mod shard;
mod stats;
mod turns;

pub use stats::CacheStats;
pub use turns::{CacheConfig, Encoded, TurnCache};
