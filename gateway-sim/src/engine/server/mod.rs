//! Sockets, connections and the route table.

mod accept;
mod dead;
mod info;
pub(super) mod reply;
mod route;
mod sglang;
mod table;

pub(super) use accept::accept;
