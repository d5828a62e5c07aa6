//! Sockets, connections and the route table.

mod accept;
mod adapters;
mod dead;
mod door;
mod info;
mod llamacpp;
mod mindie;
mod page;
pub(super) mod reply;
mod route;
mod sglang;
mod table;
mod tgi;
mod trtllm;

pub(super) use accept::accept;
pub(super) use door::Door;
