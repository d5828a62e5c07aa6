//! Faults to order: what can go wrong with an engine, by count or probability.

mod control;
mod kind;

pub(super) use control::FaultControl;
pub use kind::{FaultKind, FaultSpec};
