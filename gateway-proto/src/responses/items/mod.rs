//! Items: what goes into a conversation and what comes out of it.
//!
//! An [`Item`] keeps the JSON it came as, for the listings, beside what it means for the prompt.
mod calls;
mod compaction;
mod content;
mod messages;
mod read;

pub(super) use compaction::compaction_of;
pub(super) use messages::transcript;
pub(super) use read::{read_input, read_list};

use crate::dialect::DialectError;
use crate::ir::{Content, Json, ToolCall};

/// One item of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub(super) id: Option<String>,
    pub(super) json: Json,
    pub(super) body: ItemBody,
    /// Where it stood in the request; empty for items out of a store.
    pub(super) path: String,
}

/// What an item means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ItemBody {
    /// Somebody said something.
    Message {
        /// `user`, `system`, `developer`, `assistant`.
        role: String,
        /// What was said.
        content: Content,
    },
    /// The model reasoned.
    Reasoning(String),
    /// The model called a tool.
    Call {
        /// The call, under the name it has in this dialect.
        call: ToolCall,
        /// The namespace of the tool.
        namespace: Option<String>,
    },
    /// What the tool said.
    Output {
        /// Which call it answers.
        call_id: String,
        /// What came out.
        content: Content,
    },
    /// Earlier items in short.
    Compaction(Vec<Item>),
    /// An item that the service knows by its id.
    Reference(String),
    /// A receipt of something that another service ran: kept, and not told to the model.
    Receipt,
}

impl Item {
    /// Reads an item out of a store.
    ///
    /// # Errors
    /// For what is no item; never for one that came out of [`Item::json`].
    pub fn from_json(json: &str) -> Result<Self, DialectError> {
        read::stored(json)
    }

    /// The item as JSON, with its id once it has one.
    #[must_use]
    pub fn json(&self) -> &str {
        self.json.as_str()
    }

    /// Its id: the one it came with, or the one that [`Item::name`] gave it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The item that this one only refers to.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        match &self.body {
            ItemBody::Reference(id) => Some(id),
            _ => None,
        }
    }

    /// Makes the item what listings tell: gives it an id where it came without, a status, and its text as a part. `seed`
    /// is unique to the request and `number` within it.
    pub fn name(&mut self, seed: &str, number: usize) {
        if self.reference().is_some() {
            return;
        }
        let id = self
            .id
            .take()
            .unwrap_or_else(|| format!("{}_{seed}_i{number}", self.prefix()));
        self.json = read::completed(self, &id);
        self.id = Some(id);
    }

    /// What ids of such items begin with.
    fn prefix(&self) -> &'static str {
        match &self.body {
            ItemBody::Message { .. } => "msg",
            ItemBody::Reasoning(_) => "rs",
            ItemBody::Call { .. } => "fc",
            ItemBody::Output { .. } => "fco",
            ItemBody::Compaction(_) => "cmp",
            ItemBody::Reference(_) | ItemBody::Receipt => "item",
        }
    }
}
