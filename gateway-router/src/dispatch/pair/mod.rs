//! One request on two engines, up to the first byte that may be shown to the caller.
//!
//! What is said to whom and when is a small state machine for each connector ([`machine::Machine`]), which knows of no
//! sockets and no clock; [`drive`] does what it orders and tells it what came of it. Whatever a leg owes or is owed when it
//! is not wanted any more is met by [`legs::Legs`], which may outlive the request.

mod broken;
mod concurrent;
mod drive;
mod legs;
mod linger;
mod machine;
mod mindie;
mod mooncake;
mod nixl;
mod sglang;
#[cfg(test)]
mod tests;
mod traced;
mod trtllm;
mod way;

pub(super) use broken::{Broken, Side};
pub(super) use drive::{Call, drive};
pub(crate) use linger::Lingers;
pub(super) use way::Way;
