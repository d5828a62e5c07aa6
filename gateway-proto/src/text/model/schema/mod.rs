//! Schemas of callers: nothing in them is trusted, neither their size nor what they refer to.
//!
//! An answer is held to a schema by [`Compiled`], which fetches nothing, backtracks nowhere and does no more work than
//! its answer's length allows. [`visit()`] goes through a schema's parts.

mod bounds;
mod compiled;
mod recent;
#[cfg(test)]
mod tests;
mod visit;
mod work;

pub(super) use compiled::Compiled;
pub(super) use recent::compiled;
pub(super) use visit::{REFERENCE, visit};
