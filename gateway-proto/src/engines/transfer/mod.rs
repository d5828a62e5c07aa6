//! Prefill on one engine, decode on another: what each leg's request says besides what the caller asked, and how the
//! prefill leg's answer becomes the decode leg's.
//!
//! A [`LegEdit`] changes top-level members of a request body and adds headers, whatever the wire. What the prefill leg hands
//! over stays the JSON it came as, members that nobody here knows included.

mod connector;
mod edit;
pub mod mindie;
pub mod mooncake;
pub mod nixl;
pub mod sglang;
#[cfg(test)]
mod tests;
pub mod trtllm;
mod whole;

pub use connector::{Connector, UnknownConnector};
pub use edit::LegEdit;
pub use whole::as_stream;
