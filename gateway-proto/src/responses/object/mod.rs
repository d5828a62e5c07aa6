//! Objects that the API's routes answer with.
mod compaction;
mod conversation;
mod list;
mod output;
mod response;
mod usage;

pub use compaction::Compaction;
pub use conversation::{
    Conversation, ConversationBody, decode_conversation, decode_items, deleted_conversation,
};
pub use list::{ListQuery, Order, Page, page};
pub use output::{ItemStatus, OutputBody, OutputItem};
pub use response::{Failure, Incomplete, ResponseObject, Status};

pub(super) use output::{push_logprobs, push_reasoning_part, push_text_part};
pub(super) use response::failure_of;

use crate::json::{push_str, push_u64};

/// What tells that a response was deleted.
#[must_use]
pub fn deleted_response(id: &str) -> Vec<u8> {
    deleted(id, "response.deleted")
}

/// What tells how many tokens an input has.
#[must_use]
pub fn input_tokens(tokens: u64) -> Vec<u8> {
    let mut out = b"{\"object\":\"response.input_tokens\",\"input_tokens\":".to_vec();
    push_u64(&mut out, tokens);
    out.push(b'}');
    out
}

fn deleted(id: &str, object: &str) -> Vec<u8> {
    let mut out = b"{\"id\":".to_vec();
    push_str(&mut out, id);
    out.extend_from_slice(b",\"object\":");
    push_str(&mut out, object);
    out.extend_from_slice(b",\"deleted\":true}");
    out
}
