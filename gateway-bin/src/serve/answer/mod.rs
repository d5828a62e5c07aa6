//! Answers through the neutral form: decoded from the caller's dialect, answered at the edge, encoded again.
//!
//! One flow for all dialects. What a dialect adds is in `dialect`: how its requests are read, and how its streams and
//! whole answers are written.

mod dialect;
mod encoded;
mod flow;
mod terms;

pub(super) use dialect::Dialect;
pub(super) use encoded::{Encoded, Encoder};
pub(super) use flow::{Question, ask, broken, goes_by_text, next, respond, serve, translates};
pub(super) use terms::told;
