//! A simulated inference engine, for tests, demonstrations and routing experiments.
//!
//! [`model`] is continuous batching, chunked prefill and a KV cache with prefix reuse, as a state machine without clock,
//! sockets or threads. Time is an argument.

pub mod model;
