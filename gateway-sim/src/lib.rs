//! A simulated inference engine, for tests, demonstrations and routing experiments.
//!
//! One scheduler model serves two shells:
//!
//! - [`model`]: continuous batching, chunked prefill and a KV cache with prefix reuse, as a state machine without clock,
//!   sockets or threads. Time is an argument.
//! - [`engine`]: that model behind the HTTP surface of vLLM, in real time, with fault injection and KV events.
//! - [`fleet`]: many such models in virtual time under a routing policy, for experiments that finish in milliseconds.
//! - [`replay`]: whole fleets under long traces in virtual time, to compare routing policies.
//! - [`workload`]: traffic for it, recorded or generated.
//! - [`experiment`]: policies compared over scenarios, and how much each can carry.
//! - [`text`]: what the engine says: a reversible tokenizer and text that follows from prompt and seed alone.
//!
//! Nothing here belongs in production; the product never needs this crate.

pub mod engine;
pub mod experiment;
pub mod fleet;
pub mod model;
pub mod replay;
pub mod text;
pub mod workload;
