//! Split pools: one engine for the prompt and one for the output, or one for both.
//!
//! [`Stages::place`] chooses who decodes first, then, by what would have to be computed there, whether to split at all, then
//! who prefills among those whose KV cache the decoding engine can take over ([`KvDescriptor`](crate::KvDescriptor)).

mod legs;
mod place;
mod pools;
mod rule;
#[cfg(test)]
mod tests;

pub(super) use legs::keep_legs;
pub use place::{PairPlacement, Stages};
pub use pools::{Group, Pools};
pub use rule::SplitRule;
