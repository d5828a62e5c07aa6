//! What the two dialects share: taking members out of objects, and the parts with the same form in both.
pub(super) mod common;
mod error;
mod format;
pub(super) mod object;
pub(super) mod usage;

pub use error::CodecError;
