//! Codecs for inference traffic: bytes in, typed values out, and back.
//!
//! Nothing here opens a socket, reads a file or looks at a clock, so every codec can be fed one byte at a time, fuzzed
//! and replayed from recordings. Two ways through the same traffic stand side by side:
//!
//! * **Pass-through** for the hot path: [`openai::RequestView`] reads what a router needs from a request body without
//!   building a tree, and [`sse::Relay`] forwards a reply stream untouched while it watches for its end, its usage and
//!   the engine's errors.
//! * **Translation** through the neutral form in [`ir`], for simulated engines and for dialects that differ.
//!
//! [`prometheus`] and [`loads`] turn what an engine says of itself into telemetry, [`error`] turns engine faults into errors that a client
//! may see.
#![warn(missing_docs)]

pub mod anthropic;
pub mod dialect;
mod elements;
pub mod engines;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod ir;
mod json;
pub mod kv_events;
pub mod loads;
pub mod openai;
pub mod prometheus;
pub mod responses;
pub mod sse;
#[cfg(feature = "text")]
pub mod text;
