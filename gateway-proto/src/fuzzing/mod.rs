//! Bodies of the fuzz targets: each takes any bytes and asserts what must hold of them.
//!
//! They live here so that ordinary test runs replay the corpus and every regression without a fuzzer.
mod chat;
mod dresult;
mod engines;
mod kv_events;
mod messages;
mod prometheus;
mod responses;
mod sse;
#[cfg(test)]
mod tests;

#[cfg(feature = "text")]
pub use crate::text::detokenize::fuzz::{detokenize, stops};
#[cfg(feature = "text")]
pub use crate::text::parse::fuzz as parse;
#[cfg(feature = "text")]
pub use crate::text::template::fuzz::template;
pub use chat::chat;
pub use dresult::dresult;
pub use engines::engine_tokens;
pub use kv_events::kv_events;
pub use messages::messages;
pub use prometheus::prometheus;
pub use responses::responses;
pub use sse::sse;
