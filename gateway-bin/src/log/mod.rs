//! Log lines: how they look, and how they reach standard error without anybody waiting for its reader.
//!
//! Threads put finished lines into a bounded queue; one thread of its own writes them out in batches. Where the reader
//! is too slow the queue fills, and lines that find no room are dropped and counted. What is queued when the process
//! ends is still written, for as long as that takes no longer than a moment.

mod lines;
mod start;
#[cfg(test)]
mod tests;
mod writer;

pub use lines::LostLines;
pub(crate) use start::start;
