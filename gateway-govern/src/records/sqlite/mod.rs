//! Records in a SQLite file.

mod lane;
mod open;
mod reads;
mod writes;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use gateway_proto::responses::ListQuery;

use super::ledger::Ledger;
use super::{
    Caller, Change, Head, History, ItemPage, Limits, Record, Store, StoreError, StoredItem, Usage,
};
use lane::Lane;
use reads::Asked;
use writes::Writer;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

/// Keeps records in a SQLite file, which several processes of one machine may share. Reading and writing have a thread each,
/// with a bounded queue before it: where that is full, calls fail at once.
#[derive(Debug)]
pub struct SqliteStore {
    limits: Limits,
    ledger: Arc<Ledger>,
    reader: Lane,
    writer: Lane,
}

impl SqliteStore {
    /// Opens the file, or creates it with its tables. Blocks for a moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the file cannot be opened or is none of SQLite's, and [`StoreError::Schema`].
    pub fn open(path: &Path, limits: Limits) -> Result<Self, StoreError> {
        let writer = open::writer(path)?;
        let reader = open::reader(path)?;
        let ledger = Arc::new(Ledger::default());
        writes::measure(&writer, &ledger)?;
        Ok(Self {
            limits,
            ledger,
            reader: Lane::start("records-reader", reader)?,
            writer: Lane::start("records-writer", writer)?,
        })
    }

    async fn write<T: Send + 'static>(
        &self,
        caller: Caller<'_>,
        work: impl FnOnce(&mut Writer<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (limits, ledger) = (self.limits, Arc::clone(&self.ledger));
        let owner = caller.owner.to_owned();
        let now = caller.now;
        let work = move |connection: &mut rusqlite::Connection| {
            let caller = Caller { owner: &owner, now };
            Writer::run(connection, caller, &limits, &ledger, work)
        };
        self.writer.run(work).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn put(&self, caller: Caller<'_>, record: Record) -> Result<(), StoreError> {
        let record = record.checked(caller.owner)?;
        self.limits.fits(record.bytes())?;
        self.write(caller, move |writer| writer.put(&record)).await
    }

    async fn head(&self, caller: Caller<'_>, id: &str) -> Result<Head, StoreError> {
        let asked = Asked::new(caller, id);
        let work = move |connection: &mut rusqlite::Connection| asked.head(connection);
        self.reader.run(work).await
    }

    async fn update(&self, caller: Caller<'_>, id: &str, change: Change) -> Result<(), StoreError> {
        let change = change.checked()?;
        let id = id.to_owned();
        self.write(caller, move |writer| writer.update(&id, &change))
            .await
    }

    async fn delete(&self, caller: Caller<'_>, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write(caller, move |writer| writer.delete(&id)).await
    }

    async fn append(
        &self,
        caller: Caller<'_>,
        id: &str,
        items: Vec<StoredItem>,
    ) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write(caller, move |writer| writer.append(&id, items))
            .await
    }

    async fn list(
        &self,
        caller: Caller<'_>,
        id: &str,
        query: &ListQuery,
    ) -> Result<ItemPage, StoreError> {
        let asked = Asked::new(caller, id);
        let query = query.clone();
        let work = move |connection: &mut rusqlite::Connection| asked.list(connection, &query);
        self.reader.run(work).await
    }

    async fn item(
        &self,
        caller: Caller<'_>,
        id: &str,
        item: &str,
    ) -> Result<StoredItem, StoreError> {
        let asked = Asked::new(caller, id);
        let item = item.to_owned();
        let work = move |connection: &mut rusqlite::Connection| asked.item(connection, &item);
        self.reader.run(work).await
    }

    async fn delete_item(
        &self,
        caller: Caller<'_>,
        id: &str,
        item: &str,
    ) -> Result<(), StoreError> {
        let (id, item) = (id.to_owned(), item.to_owned());
        self.write(caller, move |writer| writer.delete_item(&id, &item))
            .await
    }

    async fn history(&self, caller: Caller<'_>, id: &str) -> Result<History, StoreError> {
        let asked = Asked::new(caller, id);
        let limits = self.limits;
        let work = move |connection: &mut rusqlite::Connection| asked.history(connection, &limits);
        let (history, unnoted) = self.reader.run(work).await?;
        if !unnoted.is_empty() {
            self.write(caller, move |writer| writer.note_use(&unnoted))
                .await?;
        }
        Ok(history)
    }

    async fn find_items(
        &self,
        caller: Caller<'_>,
        ids: &[&str],
    ) -> Result<Vec<StoredItem>, StoreError> {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let asked = Asked::new(caller, "");
        let work = move |connection: &mut rusqlite::Connection| asked.find(connection, &ids);
        self.reader.run(work).await
    }

    async fn sweep(&self, now: i64) -> Result<Usage, StoreError> {
        let nobody = Caller { owner: "", now };
        self.write(nobody, |writer| writer.sweep()).await?;
        Ok(self.ledger.usage())
    }

    fn usage(&self) -> Usage {
        self.ledger.usage()
    }
}
