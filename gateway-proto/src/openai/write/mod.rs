//! Answers in OpenAI's form, written straight into the buffer: what chat and completions share.
mod head;
mod options;
pub(super) mod parts;
mod pending;
#[cfg(test)]
pub(super) mod testing;

pub(super) use head::ChunkHead;
pub use options::{Echo, ReasoningName, ReplyOptions};
pub(super) use pending::Pending;

// Events of further choices are not written.
pub(super) use crate::ir::MOST_CHOICES;
