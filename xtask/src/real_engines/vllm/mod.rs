//! Real vLLM servers on the CPU.

mod command;
mod engine;

pub(super) use command::{Events, Setup, SideChannel};
pub(super) use engine::{Engine, start_all};

/// Tokens per KV block. The CPU backend takes multiples of 32 alone.
pub(super) const BLOCK_TOKENS: u64 = 32;

/// Prompt and answer together.
pub(super) const CONTEXT_TOKENS: u64 = 4096;
