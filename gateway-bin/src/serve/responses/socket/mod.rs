//! The WebSocket form: `GET /v1/responses` with an upgrade, then one JSON text per message.
//!
//! The session runs in the place of the HTTP connection it came from, so that it is bounded, counted and drained as one.

mod close;
mod memory;
mod open;
mod session;
mod turn;

pub(super) use memory::Memory;
pub(super) use open::open;
pub(in crate::serve) use session::Session;
