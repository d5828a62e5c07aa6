//! What the two dialects share: taking members out of objects, and the parts with the same form in both.
mod error;

pub use error::CodecError;
