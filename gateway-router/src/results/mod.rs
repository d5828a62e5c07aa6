//! What a decode engine of MindIE answers: to all requests together, in one answer that never ends.
//!
//! A task for each such endpoint holds that answer open, and gives each part of it to the request that it belongs to. A
//! request takes its [`Seat`] before the engine can have heard of it, so that nothing is said to nobody. The engine talks to
//! one listener at a time: whoever came last.

mod board;
mod link;
mod slot;
mod status;
#[cfg(test)]
mod tests;

pub(crate) use board::Seat;
pub(crate) use link::Results;
pub(crate) use slot::Lost;
pub use status::{DroppedPart, ResultsStatus};
