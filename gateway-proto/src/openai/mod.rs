//! OpenAI's chat completions, completions and models list.
//!
//! [`RequestView`] serves the pass-through path: what a router needs, read in one pass over the raw body. The full
//! codecs in [`chat`] and [`completions`] translate to and from the neutral form in [`crate::ir`].
pub mod chat;
pub mod completions;

mod codec;
mod facts;
mod models;
#[cfg(test)]
pub(crate) mod testing;
mod view;
mod write;

pub use codec::CodecError;
pub use facts::{ReplyFacts, reply_facts};
pub use models::{ModelCard, decode_models, encode_models};
pub use view::{
    Api, JsonKind, PromptShape, PromptSize, RequestError, RequestView, Span, ViewLimits,
};
pub use write::{Echo, ReasoningName, ReplyOptions};
