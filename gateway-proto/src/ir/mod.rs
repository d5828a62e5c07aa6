//! The neutral form of requests, replies and streams, between the dialects.
//!
//! Fields that a dialect has and this form does not name stay in [`Fields`] as raw JSON, in their order, so that a
//! round trip loses nothing.
mod fields;
mod reply;
mod request;

pub use fields::Fields;
pub use reply::{
    Choice, Chunk, ChunkChoice, Delta, Finish, Reply, StreamEvent, ToolCallDelta, Usage,
};
pub use request::{Content, Message, Part, Prompt, Request, Sampling, Tool, ToolCall};
