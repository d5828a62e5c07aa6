//! Conversations: lists of items that responses read and add to.

use serde_json::value::RawValue;

use super::deleted;
use crate::dialect::DialectError;
use crate::json::{push_str, push_u64};
use crate::responses::items::{Item, read_list};
use crate::responses::node::{Node, invalid, missing};
use crate::responses::request::{metadata, push_pairs};

/// The most items that one request may add.
const MOST_ITEMS: usize = 20;

/// What is told of a conversation; its items are listed by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Its id, `conv_` in front.
    pub id: String,
    /// Unix seconds.
    pub created_at: u64,
    /// The caller's own notes.
    pub metadata: Vec<(String, String)>,
}

impl Conversation {
    /// The object as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = b"{\"id\":".to_vec();
        push_str(&mut out, &self.id);
        out.extend_from_slice(b",\"object\":\"conversation\",\"created_at\":");
        push_u64(&mut out, self.created_at);
        out.extend_from_slice(b",\"metadata\":");
        push_pairs(&mut out, &self.metadata);
        out.push(b'}');
        out
    }
}

/// What creating or changing a conversation says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConversationBody {
    /// The caller's own notes.
    pub metadata: Vec<(String, String)>,
    /// Items to begin with.
    pub items: Vec<Item>,
}

/// Reads the body of creating or changing a conversation. No body is an empty one.
///
/// # Errors
/// [`DialectError`] with the path of the member at fault.
pub fn decode_conversation(body: &[u8]) -> Result<ConversationBody, DialectError> {
    let body = if body.trim_ascii().is_empty() {
        b"{}"
    } else {
        body
    };
    let mut node = Node::body(body)?;
    Ok(ConversationBody {
        metadata: metadata(&mut node)?,
        items: items(&mut node)?.unwrap_or_default(),
    })
}

/// Reads the body of adding items to a conversation.
///
/// # Errors
/// [`DialectError`] with the path of the member at fault; `items` must be there.
pub fn decode_items(body: &[u8]) -> Result<Vec<Item>, DialectError> {
    let mut node = Node::body(body)?;
    items(&mut node)?.ok_or_else(|| missing("items".to_owned()))
}

fn items(node: &mut Node) -> Result<Option<Vec<Item>>, DialectError> {
    let Some(raw) = node.take::<Box<RawValue>>("items")? else {
        return Ok(None);
    };
    let items = read_list(&raw, "items")?;
    if items.len() > MOST_ITEMS {
        let why = format!("at most {MOST_ITEMS} items can be added at once");
        return Err(invalid("items".to_owned(), why));
    }
    Ok(Some(items))
}

/// What tells that a conversation was deleted.
#[must_use]
pub fn deleted_conversation(id: &str) -> Vec<u8> {
    deleted(id, "conversation.deleted")
}
