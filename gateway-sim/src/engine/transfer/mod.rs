//! Prefill-decode pairs: one engine computes a prompt's KV, another one answers with it.
//!
//! Engines of one process or of several find each other by real sockets: each engine that takes part has a listener
//! beside its API, which stands for the side channel of NIXL or for the bootstrap server of Mooncake and `SGLang`. It
//! tells whether the blocks of a request are still held, and frees them.

mod bootstrap;
mod config;
mod hold;
mod leg;
mod mindie;
mod mooncake;
mod nixl;
mod peer;
mod rooms;
mod side;
mod state;
mod trtllm;

pub use config::{Connector, TransferConfig, TransferRole};
pub(super) use hold::{Content, Holdings};
pub(super) use leg::Leg;
pub(super) use mindie::{HandOver, kind_of, listen, pull, route_of, stop};
pub(super) use peer::Peer;
pub(super) use side::accept;
pub(super) use state::Transfer;
