//! Token ids to text, token by token, and the strings at which an answer stops.
//!
//! * [`Detokenizer`] gives text as soon as it is certain: a character is never split, no byte is lost, and all of the
//!   output joined is what decoding the whole list of ids gives.
//! * [`StopMatcher`] finds stop strings across the borders of tokens and holds back only what may still become one.

mod automaton;
mod detokenizer;
#[doc(hidden)]
pub mod fuzz;
mod other;
mod pieces;
mod stop;
#[cfg(test)]
mod tests;
mod utf8;

pub use detokenizer::{DetokenizeOptions, Detokenizer};
pub use stop::{Stop, StopMatcher, StopOptions, StopOptionsError};
