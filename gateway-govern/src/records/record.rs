//! What is kept.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::StoreError;

/// Longest id and owner, in bytes.
const ID_BYTES: usize = 256;
/// What a record costs beside its text, in bytes: an estimate of rows, indexes and map entries.
pub(super) const RECORD_OVERHEAD: u64 = 512;
/// What an item costs beside its text, in bytes.
pub(super) const ITEM_OVERHEAD: u64 = 256;

/// Who asks, and when.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Whose records these are; any word that stays the same, such as a key's name. Nobody sees another owner's records.
    pub owner: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One answer, with the input it answered.
    Response,
    /// A list of items that responses add to.
    Conversation,
}

/// How far a response has come. The last four never change again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waits to be begun.
    Queued,
    /// Being written.
    InProgress,
    /// Whole.
    Completed,
    /// Cut off.
    Incomplete,
    /// Broken.
    Failed,
    /// Called off by the caller.
    Cancelled,
}

impl Status {
    /// Whether nothing more will come.
    #[must_use]
    pub fn ended(self) -> bool {
        !matches!(self, Self::Queued | Self::InProgress)
    }

    /// The word that the API has for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// One item, as JSON. Within one record an id names one item: a second item of the same id is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredItem {
    /// Its id.
    pub id: Arc<str>,
    /// The whole item.
    pub json: Arc<str>,
}

impl StoredItem {
    /// An item of this id.
    #[must_use]
    pub fn new(id: &str, json: &str) -> Self {
        Self {
            id: id.into(),
            json: json.into(),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        ITEM_OVERHEAD + (self.id.len() + self.json.len()) as u64
    }
}

/// What is known of a record, without its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Unique among the owner's records.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// How far a response has come; conversations have none.
    pub status: Option<Status>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// The response that this one continues.
    pub previous: Option<String>,
    /// The conversation that this response belongs to.
    pub conversation: Option<String>,
    /// The object that retrieving it tells, as JSON.
    pub body: Arc<str>,
}

impl Head {
    /// A response that continues nothing.
    #[must_use]
    pub fn response(id: &str, created_at: i64, status: Status, body: &str) -> Self {
        Self {
            id: id.to_owned(),
            kind: Kind::Response,
            status: Some(status),
            created_at,
            previous: None,
            conversation: None,
            body: body.into(),
        }
    }

    /// A conversation.
    #[must_use]
    pub fn conversation(id: &str, created_at: i64, body: &str) -> Self {
        Self {
            kind: Kind::Conversation,
            status: None,
            ..Self::response(id, created_at, Status::Completed, body)
        }
    }

    fn bytes(&self) -> u64 {
        let words = [&self.previous, &self.conversation];
        let words: usize = words
            .iter()
            .map(|word| word.as_ref().map_or(0, String::len))
            .sum();
        RECORD_OVERHEAD + (self.id.len() + words + self.body.len()) as u64
    }
}

/// A record, to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What is known of it.
    pub head: Head,
    /// A response's input, or a conversation's items; oldest first.
    pub input: Vec<StoredItem>,
    /// What the model said; conversations have none.
    pub output: Vec<StoredItem>,
}

impl Record {
    /// A record without items.
    #[must_use]
    pub fn new(head: Head) -> Self {
        Self {
            head,
            input: Vec::new(),
            output: Vec::new(),
        }
    }

    /// Leaves out second items of one id; refuses what no store can hold.
    pub(super) fn checked(mut self, owner: &str) -> Result<Self, StoreError> {
        let head = &self.head;
        name(owner)?;
        name(&head.id)?;
        for word in [&head.previous, &head.conversation].into_iter().flatten() {
            name(word)?;
        }
        text(&head.body)?;
        let mut seen = HashSet::new();
        self.input = distinct(self.input, &mut seen)?;
        self.output = distinct(self.output, &mut seen)?;
        Ok(self)
    }

    /// What it counts for, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.head.bytes() + items_bytes(&self.input) + items_bytes(&self.output)
    }
}

/// What is to be changed about a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The new status of a response that has not ended.
    pub status: Option<Status>,
    /// The new object.
    pub body: Option<Arc<str>>,
    /// What the model said meanwhile, behind the output that is there.
    pub output: Vec<StoredItem>,
}

impl Change {
    pub(super) fn checked(mut self) -> Result<Self, StoreError> {
        if let Some(body) = &self.body {
            text(body)?;
        }
        self.output = distinct(self.output, &mut HashSet::new())?;
        Ok(self)
    }
}

/// Leaves out second items of one id, also of those in `seen`.
pub(super) fn distinct(
    items: Vec<StoredItem>,
    seen: &mut HashSet<Arc<str>>,
) -> Result<Vec<StoredItem>, StoreError> {
    for item in &items {
        name(&item.id)?;
        text(&item.json)?;
    }
    let fresh = |item: &StoredItem| seen.insert(Arc::clone(&item.id));
    Ok(items.into_iter().filter(fresh).collect())
}

/// What `items` count for, in bytes.
pub(super) fn items_bytes(items: &[StoredItem]) -> u64 {
    items.iter().map(StoredItem::bytes).sum()
}

fn name(word: &str) -> Result<(), StoreError> {
    if word.is_empty() || word.len() > ID_BYTES {
        return Err(StoreError::Unstorable(
            "an id or owner is empty or too long",
        ));
    }
    text(word)
}

/// PostgreSQL's texts cannot hold the character NUL, and JSON has none.
fn text(text: &str) -> Result<(), StoreError> {
    if text.contains('\0') {
        return Err(StoreError::Unstorable("a text holds the character NUL"));
    }
    Ok(())
}

/// A part of a record's list of items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemPage {
    /// The items, in the order asked for.
    pub items: Vec<StoredItem>,
    /// Whether more follow.
    pub more: bool,
}

/// All that was said up to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// What the record is that was asked for.
    pub kind: Kind,
    /// How far it has come.
    pub status: Option<Status>,
    /// How many records this came from.
    pub records: usize,
    /// Input and output, oldest first.
    pub items: Vec<StoredItem>,
}
