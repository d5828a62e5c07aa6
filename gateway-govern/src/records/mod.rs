//! Records of responses and conversations: what `previous_response_id`, `conversation`, retrieving, listing and background
//! responses need between requests.
//!
//! A [`Store`] keeps them for a time and within bounds ([`Limits`]). [`MemoryStore`] loses them with the process;
//! `SqliteStore` (feature `sqlite`) keeps them in a file, `PostgresStore` (feature `postgres`) shares them among
//! gateways. All three behave alike and pass the same tests.
//!
//! ```
//! use gateway_govern::records::{Caller, Head, Limits, MemoryStore, Record, Status, Store, StoredItem};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let store = MemoryStore::new(Limits::memory());
//! let caller = Caller { owner: "ci", now: 1_700_000_000 };
//!
//! let mut first = Record::new(Head::response("resp_1", caller.now, Status::Completed, "{}"));
//! first.input.push(StoredItem::new("msg_1", r#"{"role":"user"}"#));
//! first.output.push(StoredItem::new("msg_2", r#"{"role":"assistant"}"#));
//! store.put(caller, first).await?;
//!
//! let history = store.history(caller, "resp_1").await?;
//! assert_eq!(history.items.len(), 2);
//! # Ok::<(), gateway_govern::records::StoreError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod ledger;
mod limits;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use error::StoreError;
pub use limits::{Limits, Usage};
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore};
pub use record::{Caller, Change, Head, History, ItemPage, Kind, Record, Status, StoredItem};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

use async_trait::async_trait;
use gateway_proto::responses::ListQuery;

/// Keeps records. Every call is one step: others see all of it or nothing.
///
/// Every call can fail with [`StoreError::Unavailable`]; calls that name a record fail with [`StoreError::NotFound`] where
/// the caller has none of that id.
#[async_trait]
pub trait Store: Send + Sync {
    /// Keeps a new record.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::TooLarge`], [`StoreError::Unstorable`].
    async fn put(&self, caller: Caller<'_>, record: Record) -> Result<(), StoreError>;

    /// What is known of a record, without its items.
    ///
    /// # Errors
    /// As for all calls.
    async fn head(&self, caller: Caller<'_>, id: &str) -> Result<Head, StoreError>;

    /// Changes a record: a conversation's notes, or how far a response has come. A status can be given to responses alone,
    /// and to those that have ended no other, so that of an end and a cancellation one wins.
    ///
    /// # Errors
    /// [`StoreError::Ended`], [`StoreError::TooLarge`], [`StoreError::Unstorable`].
    async fn update(&self, caller: Caller<'_>, id: &str, change: Change) -> Result<(), StoreError>;

    /// Deletes a record with its items. Responses that continue it lose their history.
    ///
    /// # Errors
    /// As for all calls.
    async fn delete(&self, caller: Caller<'_>, id: &str) -> Result<(), StoreError>;

    /// Adds items to a conversation, all or none, next to each other. Those that it holds already are left out, so that an
    /// append can be repeated.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], [`StoreError::Unstorable`].
    async fn append(
        &self,
        caller: Caller<'_>,
        id: &str,
        items: Vec<StoredItem>,
    ) -> Result<(), StoreError>;

    /// Lists a response's input, or a conversation's items.
    ///
    /// # Errors
    /// [`StoreError::ItemNotFound`] for an `after` that is none of them.
    async fn list(
        &self,
        caller: Caller<'_>,
        id: &str,
        query: &ListQuery,
    ) -> Result<ItemPage, StoreError>;

    /// One item of those that [`Self::list`] lists.
    ///
    /// # Errors
    /// [`StoreError::ItemNotFound`].
    async fn item(
        &self,
        caller: Caller<'_>,
        id: &str,
        item: &str,
    ) -> Result<StoredItem, StoreError>;

    /// Takes an item out of a conversation.
    ///
    /// # Errors
    /// [`StoreError::ItemNotFound`].
    async fn delete_item(&self, caller: Caller<'_>, id: &str, item: &str)
    -> Result<(), StoreError>;

    /// All that was said up to a record and in it: of a response, the input and output of every response that it
    /// continues, oldest first, and its own; of a conversation, its items. Counts as use of all of them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] also where one on the way is gone; [`StoreError::HistoryTooLong`].
    async fn history(&self, caller: Caller<'_>, id: &str) -> Result<History, StoreError>;

    /// The caller's items of these ids, wherever they are, in the order asked for; those that are not there are left out.
    /// Of an id in several records the newest counts.
    ///
    /// # Errors
    /// As for all calls.
    async fn find_items(
        &self,
        caller: Caller<'_>,
        ids: &[&str],
    ) -> Result<Vec<StoredItem>, StoreError>;

    /// Lets go what has ended by `now` (seconds since 1970) and what is too much. To be called every minute or so.
    ///
    /// # Errors
    /// As for all calls.
    async fn sweep(&self, now: i64) -> Result<Usage, StoreError>;

    /// What is held and what was let go; asks no database.
    fn usage(&self) -> Usage;
}
