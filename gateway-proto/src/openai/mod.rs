//! OpenAI's chat completions, completions and models list.
//!
//! [`RequestView`] serves the pass-through path: what a router needs, read in one pass over the raw body.
mod codec;
mod facts;
mod models;
mod view;

pub use codec::CodecError;
pub use facts::{ReplyFacts, reply_facts};
pub use models::{ModelCard, decode_models, encode_models};
pub use view::{
    Api, JsonKind, PromptShape, PromptSize, RequestError, RequestView, Span, ViewLimits,
};
