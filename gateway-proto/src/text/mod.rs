//! The token edge: what stands between a conversation and an engine that knows token ids alone.
//!
//! * [`template`] renders a conversation to the prompt text that the model was trained on.
//! * [`tokenize`] turns text into token ids, [`detokenize`] turns token ids into text as they come.
//! * [`parse`] reads what a model writes: content, reasoning and tool calls, as one ordered stream.
//!
//! Everything is synchronous and works on bytes handed in: files and threads are the caller's.

pub mod detokenize;
pub mod model;
pub mod parse;
pub mod template;
pub mod tokenize;
