//! The simulated engine behind the HTTP surface of vLLM or, by [`Flavour`], of another engine, in real time.
//!
//! [`SimEngine::start`] binds a socket and answers as vLLM 0.32 does: chat, completions and token-level generation, streamed
//! or not; tokenizer, model list, health and metrics; KV events over ZeroMQ with replay. A client that leaves frees its
//! request at once. [`RunningEngine`] gives tests a handle to count, to inject faults and to kill.
//!
//! What differs from vLLM by intention: text is made up (see [`crate::text`]), and so are log probabilities and the vectors of
//! embeddings; forms other than JSON and choices are refused; `POST /sim/faults`, `GET /sim/faults`, `DELETE /sim/faults` and
//! `GET /sim/stats` control and watch the simulation from another process.
//!
//! Engines with a [`TransferConfig`] play prefill-decode pairs with each other, failures included.
//!
//! With `tools` in a chat, the engine calls one of them when `tool_choice` is `required` or names a function, or when the
//! last user turn contains `/tool` (the first tool) or `/tool NAME`. The arguments are made up to fit the function's schema.

mod adapters;
mod api;
pub(crate) mod clock;
mod config;
mod error;
mod faults;
mod flavour;
mod handle;
mod kv;
mod metrics;
mod rank;
mod recorder;
mod server;
mod shell;
mod stats;
mod ticket;
mod transfer;

pub use config::{EventForm, HashForm, KvEventsConfig, SimConfig};
pub use faults::{FaultKind, FaultSpec};
pub use flavour::Flavour;
pub use handle::{RunningEngine, SimEngine, StartError};
pub use stats::{LastRequest, SimStats};
pub use transfer::{Connector, TransferConfig, TransferRole};
