//! Why a store cannot do what it was asked.

use std::error::Error;

use super::Status;

/// Why a store cannot do what it was asked. Nothing was changed, except perhaps with [`Self::Unavailable`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The caller has no such record: never there, another's, deleted, evicted or expired.
    #[error("there is no `{id}`")]
    NotFound {
        /// Its id; of a history, that of the first one missing.
        id: String,
    },
    /// The record has no such item.
    #[error("`{record}` holds no item `{item}`")]
    ItemNotFound {
        /// The record's id.
        record: String,
        /// The item's id.
        item: String,
    },
    /// The owner has a record of this id already.
    #[error("`{id}` is there already")]
    Exists {
        /// Its id.
        id: String,
    },
    /// The response has ended, so that its status stays.
    #[error("`{id}` has ended: {status}")]
    Ended {
        /// Its id.
        id: String,
        /// How it ended.
        status: Status,
    },
    /// One record may not become that large.
    #[error("a record may hold {limit_bytes} bytes at most")]
    TooLarge {
        /// [`Limits::record_bytes`](super::Limits::record_bytes).
        limit_bytes: u64,
    },
    /// There is more history than one request may bring.
    #[error("the history is longer than {limit_records} records or {limit_bytes} bytes")]
    HistoryTooLong {
        /// [`Limits::history_records`](super::Limits::history_records).
        limit_records: u32,
        /// [`Limits::history_bytes`](super::Limits::history_bytes).
        limit_bytes: u64,
    },
    /// No store can hold this.
    #[error("{0}")]
    Unstorable(&'static str),
    /// The database has tables of a later version.
    #[error("the database has version {found} of the tables; this program knows {known}")]
    Schema {
        /// What the database has.
        found: i64,
        /// The latest that this program knows.
        known: i64,
    },
    /// The database's address is none, or demands TLS. The address may hold a password and is not shown.
    #[error("the database's address cannot be used: give host, user and database, and no TLS")]
    Address(#[source] Option<Box<dyn Error + Send + Sync>>),
    /// The store does not answer. Of a change it is unknown whether it was made; reading and appending can be repeated.
    #[error("the store is not available: {0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    pub(super) fn missing(id: &str) -> Self {
        Self::NotFound { id: id.to_owned() }
    }

    pub(super) fn item_missing(record: &str, item: &str) -> Self {
        Self::ItemNotFound {
            record: record.to_owned(),
            item: item.to_owned(),
        }
    }
}

/// What stands between a caller and a database, beside the database's own errors.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[cfg(feature = "sqlite")]
    #[error("too much waits for it")]
    Busy,
    #[cfg(feature = "sqlite")]
    #[error("its thread has ended")]
    Stopped,
    #[cfg(feature = "postgres")]
    #[error("it takes too long")]
    TimedOut,
    #[error("it holds a number that means nothing: {0}")]
    Nonsense(i64),
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        Self::Unavailable(Box::new(trouble))
    }
}
