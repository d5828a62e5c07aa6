//! The neutral form of requests, replies and streams, between the dialects.
//!
//! Fields that a dialect has and this form does not name stay in [`Fields`] as raw JSON, in their order, so that a
//! round trip loses nothing.
pub mod check;

mod event;
mod fields;
mod gather;
mod json;
mod options;
mod reply;
mod request;

pub use event::{Answer, AnswerChoice, Block, Event, Head, Step, StopCause, TokenLogprob};
pub use fields::Fields;
pub use json::Json;
pub use options::{Format, LogprobsAsked, Reasoning, TemplateOptions, ToolChoice};
pub use reply::{Finish, Usage};
pub use request::{
    Content, MOST_CHOICES, Message, Part, Prompt, Request, Sampling, Tool, ToolCall,
};
