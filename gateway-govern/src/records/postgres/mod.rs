//! Records in a PostgreSQL database.

mod connect;
mod options;
mod reads;
mod statements;
mod tables;
mod writes;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use gateway_proto::responses::ListQuery;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::ledger::Ledger;
use super::{
    Caller, Change, Head, History, ItemPage, Limits, Record, Store, StoreError, StoredItem, Usage,
};
use connect::Connector;
pub use options::PostgresOptions;

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

/// A parameter and its type, so that a statement is one round trip.
type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// Keeps records in a PostgreSQL database, which any number of gateways may share.
///
/// Every call is one statement, or two where a history's use is noted. A few connections carry all calls; one that broke is
/// opened again by the next call. Calls need a running tokio runtime.
#[derive(Debug)]
pub struct PostgresStore {
    limits: Limits,
    ledger: Ledger,
    connectors: Vec<Connector>,
    next: AtomicUsize,
    making_room: AtomicBool,
}

impl PostgresStore {
    /// Connects, and creates the tables where there are none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Schema`].
    pub async fn open(options: &PostgresOptions, limits: Limits) -> Result<Self, StoreError> {
        let store = Self {
            limits,
            ledger: Ledger::default(),
            connectors: options.connectors(),
            next: AtomicUsize::new(0),
            making_room: AtomicBool::new(false),
        };
        store.measure().await?;
        Ok(store)
    }

    async fn query(&self, statement: &str, given: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let connector = &self.connectors[turn % self.connectors.len()];
        connector.query(statement, given).await
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn put(&self, caller: Caller<'_>, record: Record) -> Result<(), StoreError> {
        let record = record.checked(caller.owner)?;
        self.limits.fits(record.bytes())?;
        self.insert(caller, &record).await?;
        self.make_room_if_needed().await;
        Ok(())
    }

    async fn head(&self, caller: Caller<'_>, id: &str) -> Result<Head, StoreError> {
        self.read_head(caller, id).await
    }

    async fn update(&self, caller: Caller<'_>, id: &str, change: Change) -> Result<(), StoreError> {
        self.change(caller, id, &change.checked()?).await?;
        self.make_room_if_needed().await;
        Ok(())
    }

    async fn delete(&self, caller: Caller<'_>, id: &str) -> Result<(), StoreError> {
        self.remove(caller, id).await
    }

    async fn append(
        &self,
        caller: Caller<'_>,
        id: &str,
        items: Vec<StoredItem>,
    ) -> Result<(), StoreError> {
        self.add_items(caller, id, items).await?;
        self.make_room_if_needed().await;
        Ok(())
    }

    async fn list(
        &self,
        caller: Caller<'_>,
        id: &str,
        query: &ListQuery,
    ) -> Result<ItemPage, StoreError> {
        self.read_page(caller, id, query).await
    }

    async fn item(
        &self,
        caller: Caller<'_>,
        id: &str,
        item: &str,
    ) -> Result<StoredItem, StoreError> {
        self.read_item(caller, id, item).await
    }

    async fn delete_item(
        &self,
        caller: Caller<'_>,
        id: &str,
        item: &str,
    ) -> Result<(), StoreError> {
        self.remove_item(caller, id, item).await
    }

    async fn history(&self, caller: Caller<'_>, id: &str) -> Result<History, StoreError> {
        let (history, unnoted) = self.read_history(caller, id).await?;
        if !unnoted.is_empty() {
            self.note_use(caller, &unnoted).await?;
        }
        Ok(history)
    }

    async fn find_items(
        &self,
        caller: Caller<'_>,
        ids: &[&str],
    ) -> Result<Vec<StoredItem>, StoreError> {
        self.read_items(caller, ids).await
    }

    async fn sweep(&self, now: i64) -> Result<Usage, StoreError> {
        self.purge(now).await?;
        self.make_room().await?;
        Ok(self.ledger.usage())
    }

    fn usage(&self) -> Usage {
        self.ledger.usage()
    }
}
