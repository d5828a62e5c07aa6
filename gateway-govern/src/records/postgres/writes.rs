//! Writing.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use tokio_postgres::types::Type;

use super::reads::plain;
use super::{Param, PostgresStore, statements};
use crate::records::ledger::Excess;
use crate::records::record::{distinct, items_bytes};
use crate::records::sql;
use crate::records::{Caller, Change, Kind, Record, StoreError, StoredItem};

/// Batches after which the database is measured again: other gateways may be making room as well.
const MEASURE_AFTER: u32 = 16;

/// Counts the rows of `delete`, which tells the bytes of each.
fn counting(delete: &str) -> String {
    format!(
        "WITH gone AS ({delete}) SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM gone"
    )
}

impl PostgresStore {
    pub(super) async fn insert(
        &self,
        caller: Caller<'_>,
        record: &Record,
    ) -> Result<(), StoreError> {
        let head = &record.head;
        let bytes = signed(record.bytes());
        let (ids, json) = columns(record.input.iter().chain(&record.output));
        let given = [
            (&caller.owner as _, Type::TEXT),
            (&head.id as _, Type::TEXT),
            (&sql::kind_code(head.kind) as _, Type::INT8),
            (&head.status.map(sql::status_code) as _, Type::INT8),
            (&head.previous as _, Type::TEXT),
            (&head.conversation as _, Type::TEXT),
            (&&*head.body as _, Type::TEXT),
            (&head.created_at as _, Type::INT8),
            (&self.limits.end(caller.now) as _, Type::INT8),
            (&bytes as _, Type::INT8),
            (&signed(ids.len() as u64) as _, Type::INT8),
            (&signed(record.input.len() as u64) as _, Type::INT8),
            (&ids as _, Type::TEXT_ARRAY),
            (&json as _, Type::TEXT_ARRAY),
        ];
        if self.query(&statements::PUT, &given).await?.is_empty() {
            let id = head.id.clone();
            return Err(StoreError::Exists { id });
        }
        self.ledger.changed(1, bytes);
        Ok(())
    }

    pub(super) async fn change(
        &self,
        caller: Caller<'_>,
        id: &str,
        change: &Change,
    ) -> Result<(), StoreError> {
        let (ids, json) = columns(&change.output);
        let bytes = signed(items_bytes(&change.output));
        let body = change.body.as_deref();
        let given = [
            (&caller.owner as _, Type::TEXT),
            (&plain(id)? as _, Type::TEXT),
            (&caller.now as _, Type::INT8),
            (&change.status.map(sql::status_code) as _, Type::INT8),
            (&body as _, Type::TEXT),
            (&bytes as _, Type::INT8),
            (&self.limits.end(caller.now) as _, Type::INT8),
            (&signed(ids.len() as u64) as _, Type::INT8),
            (&signed(self.limits.largest()) as _, Type::INT8),
            (&ids as _, Type::TEXT_ARRAY),
            (&json as _, Type::TEXT_ARRAY),
        ];
        if self.query(&statements::UPDATE, &given).await?.is_empty() {
            let head = self.read_head(caller, id).await?;
            return Err(sql::refused(&head, change, &self.limits));
        }
        let body = body.map_or(0, str::len);
        self.ledger.changed(0, bytes + signed(body as u64));
        Ok(())
    }

    pub(super) async fn add_items(
        &self,
        caller: Caller<'_>,
        id: &str,
        items: Vec<StoredItem>,
    ) -> Result<(), StoreError> {
        let items = distinct(items, &mut HashSet::new())?;
        let (ids, json) = columns(&items);
        let given = [
            (&caller.owner as _, Type::TEXT),
            (&plain(id)? as _, Type::TEXT),
            (&caller.now as _, Type::INT8),
            (&ids as _, Type::TEXT_ARRAY),
            (&json as _, Type::TEXT_ARRAY),
            (&self.limits.end(caller.now) as _, Type::INT8),
            (&signed(self.limits.largest()) as _, Type::INT8),
        ];
        let rows = self.query(&statements::APPEND, &given).await?;
        let Some(row) = rows.first() else {
            self.conversation(caller, id).await?;
            return Err(self.limits.too_large());
        };
        self.ledger.changed(0, row.try_get(0)?);
        Ok(())
    }

    async fn conversation(&self, caller: Caller<'_>, id: &str) -> Result<(), StoreError> {
        match self.read_head(caller, id).await?.kind {
            Kind::Conversation => Ok(()),
            Kind::Response => Err(StoreError::missing(id)),
        }
    }

    pub(super) async fn remove(&self, caller: Caller<'_>, id: &str) -> Result<(), StoreError> {
        let given = [
            (&caller.owner as _, Type::TEXT),
            (&plain(id)? as _, Type::TEXT),
            (&caller.now as _, Type::INT8),
        ];
        let rows = self.query(sql::DELETE, &given).await?;
        let row = rows.first().ok_or_else(|| StoreError::missing(id))?;
        let bytes: i64 = row.try_get(0)?;
        self.ledger.changed(-1, -bytes);
        Ok(())
    }

    pub(super) async fn remove_item(
        &self,
        caller: Caller<'_>,
        id: &str,
        item: &str,
    ) -> Result<(), StoreError> {
        let missing = || StoreError::item_missing(id, item);
        let given = [
            (&caller.owner as _, Type::TEXT),
            (&plain(id)? as _, Type::TEXT),
            (&caller.now as _, Type::INT8),
            (&plain(item).map_err(|_| missing())? as _, Type::TEXT),
            (&self.limits.end(caller.now) as _, Type::INT8),
        ];
        let rows = self.query(&statements::REMOVE_ITEM, &given).await?;
        let Some(row) = rows.first() else {
            self.conversation(caller, id).await?;
            return Err(missing());
        };
        let freed: i64 = row.try_get(0)?;
        self.ledger.changed(0, -freed);
        Ok(())
    }

    pub(super) async fn note_use(
        &self,
        caller: Caller<'_>,
        numbers: &Vec<i64>,
    ) -> Result<(), StoreError> {
        let given = [
            (&self.limits.end(caller.now) as _, Type::INT8),
            (numbers as _, Type::INT8_ARRAY),
        ];
        self.query(statements::NOTE_USE, &given).await?;
        Ok(())
    }

    pub(super) async fn measure(&self) -> Result<(), StoreError> {
        let rows = self.query(sql::MEASURE, &[]).await?;
        for row in rows {
            self.ledger.measured(row.try_get(0)?, row.try_get(1)?);
        }
        Ok(())
    }

    pub(super) async fn purge(&self, now: i64) -> Result<(), StoreError> {
        let statement = counting(&format!("{} RETURNING bytes", sql::PURGE));
        let given = [(&now as _, Type::INT8), (&sql::BATCH as _, Type::INT8)];
        loop {
            let (gone, _) = self.delete_batch(&statement, &given).await?;
            self.ledger.expired(gone.unsigned_abs());
            if gone == 0 {
                return Ok(());
            }
        }
    }

    /// After a change that is done already: what goes wrong here, the next change or sweep meets again.
    pub(super) async fn make_room_if_needed(&self) {
        let full = self.ledger.excess(&self.limits).is_some();
        if full && !self.making_room.swap(true, Ordering::AcqRel) {
            let guard = Room(self);
            let _ = self.make_room().await;
            drop(guard);
        }
    }

    pub(super) async fn make_room(&self) -> Result<(), StoreError> {
        let statement = counting(sql::EVICT);
        self.measure().await?;
        let mut batches = 0;
        while let Some(Excess { records, bytes }) = self.ledger.excess(&self.limits) {
            let given = [
                (&records as _, Type::INT8),
                (&bytes as _, Type::INT8),
                (&sql::BATCH as _, Type::INT8),
            ];
            let (gone, freed) = self.delete_batch(&statement, &given).await?;
            self.ledger.changed(-gone, -freed);
            self.ledger.evicted(gone.unsigned_abs());
            batches += 1;
            // A batch that is not full was the last one, or another gateway was faster.
            if gone < sql::BATCH || batches % MEASURE_AFTER == 0 {
                self.measure().await?;
            }
            if gone == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Deletes a batch; gives its records and bytes.
    async fn delete_batch(
        &self,
        statement: &str,
        given: &[Param<'_>],
    ) -> Result<(i64, i64), StoreError> {
        let rows = self.query(statement, given).await?;
        match rows.first() {
            Some(row) => Ok((row.try_get(0)?, row.try_get(1)?)),
            None => Ok((0, 0)),
        }
    }
}

/// Lets the next one make room, also where this one was dropped half-way.
struct Room<'a>(&'a PostgresStore);

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.0.making_room.store(false, Ordering::Release);
    }
}

/// Ids and JSON of items, as two arrays.
fn columns<'a>(items: impl IntoIterator<Item = &'a StoredItem>) -> (Vec<&'a str>, Vec<&'a str>) {
    items
        .into_iter()
        .map(|item| (&*item.id, &*item.json))
        .unzip()
}

/// Sizes as the database counts them.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
