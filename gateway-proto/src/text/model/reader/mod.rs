//! From the token ids of one choice to its events.

mod calls;
mod choice;
mod closing;
mod form;
mod legs;
mod output;
mod reading;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use self::choice::Reader;
pub(super) use self::closing::Closings;
pub(super) use self::reading::{Reading, StopSpec};

use super::Constraint;

/// What is to happen after an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The engine goes on.
    GoOn,
    /// The choice is over; an engine that still writes may stop.
    Over,
    /// The engine is to be stopped and the choice continued by another call, whose only choice is this one.
    Continue(Continuation),
}

/// The call that goes on with a choice: after its reasoning was closed, or from where a constraint begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Continuation {
    /// The prompt, with what was written so far.
    pub prompt: Arc<[u32]>,
    /// Tokens left.
    pub max_tokens: u64,
    /// Tokens that must still come at least, never more than those left.
    pub min_tokens: u64,
    /// What the engine is to enforce now.
    pub constraint: Option<Constraint>,
}
