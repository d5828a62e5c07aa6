//! Project chores, run as `cargo xtask COMMAND`.
//!
//! They are a library as well, so that the guards are ordinary tests too.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore speaks to the person who runs it"
)]

pub mod check;
pub mod cmd;
pub mod guards;
pub mod host;
pub mod real_engines;
pub mod routing_quality;
pub mod source;
pub mod tally;
pub mod test;
