//! Recorded traffic.

mod azure;
mod error;
mod format;
mod lines;
mod log;
mod mooncake;
#[cfg(test)]
mod tests;

pub use error::{TraceError, TraceProblem};
pub use format::{Format, Trace, read};
