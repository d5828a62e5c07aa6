//! A simulated inference engine, for tests, demonstrations and routing experiments.
//!
//! - [`model`]: continuous batching, chunked prefill and a KV cache with prefix reuse, as a state machine without clock,
//!   sockets or threads. Time is an argument.
//! - [`text`]: what the engine says: a reversible tokenizer and text that follows from prompt and seed alone.

pub mod model;
pub mod text;
