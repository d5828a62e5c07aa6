//! Reading.

use std::sync::Arc;

use gateway_proto::responses::{ListQuery, Order};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, ToSql, params};

use crate::records::sql::{self, HistoryRow, PageRow};
use crate::records::{Caller, Head, History, ItemPage, Limits, StoreError, StoredItem};

/// The newest of the caller's items of one id: `$1` owner, `$2` item, `$3` the time.
const FIND: &str = "
SELECT i.id, i.json
FROM gateway_items i
JOIN gateway_records r ON r.number = i.record
WHERE r.owner = $1 AND i.id = $2 AND r.expires_at > $3
ORDER BY i.record DESC LIMIT 1";

/// A statement in this database's way of writing parameters.
pub(super) fn prepare<'a>(
    connection: &'a Connection,
    statement: &str,
) -> Result<CachedStatement<'a>, StoreError> {
    Ok(connection.prepare_cached(&statement.replace('$', "?"))?)
}

/// What somebody asks of a record, on its way to the thread.
pub(super) struct Asked {
    owner: String,
    now: i64,
    id: String,
}

impl Asked {
    pub(super) fn new(caller: Caller<'_>, id: &str) -> Self {
        Self {
            owner: caller.owner.to_owned(),
            now: caller.now,
            id: id.to_owned(),
        }
    }

    pub(super) fn head(&self, connection: &Connection) -> Result<Head, StoreError> {
        let read = |row: &Row<'_>| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Option<i64>>(1)?,
                Head {
                    created_at: row.get(2)?,
                    previous: row.get(3)?,
                    conversation: row.get(4)?,
                    body: row.get(5)?,
                    ..Head::conversation(&self.id, 0, "")
                },
            ))
        };
        let found = prepare(connection, sql::HEAD)?
            .query_row(params![self.owner, self.id, self.now], read)
            .optional()?;
        let (kind, status, head) = found.ok_or_else(|| StoreError::missing(&self.id))?;
        Ok(Head {
            kind: sql::kind_of(kind)?,
            status: sql::status_of(status)?,
            ..head
        })
    }

    pub(super) fn list(
        &self,
        connection: &Connection,
        query: &ListQuery,
    ) -> Result<ItemPage, StoreError> {
        let statement = match query.order {
            Order::Ascending => sql::LIST_UP,
            Order::Descending => sql::LIST_DOWN,
        };
        let rows = i64::try_from(query.limit).unwrap_or(i64::MAX - 1) + 1;
        let given = params![self.owner, self.id, self.now, query.after, rows];
        let rows = all(connection, statement, given, |row| {
            Ok(PageRow {
                after: row.get(0)?,
                item: item(row, 1)?,
            })
        })?;
        sql::page(rows, &self.id, query.after.as_deref(), query.limit)
    }

    pub(super) fn item(
        &self,
        connection: &Connection,
        item: &str,
    ) -> Result<StoredItem, StoreError> {
        let found: Option<Option<String>> = prepare(connection, sql::ITEM)?
            .query_row(params![self.owner, self.id, self.now, item], |row| {
                row.get(0)
            })
            .optional()?;
        let json = found.ok_or_else(|| StoreError::missing(&self.id))?;
        let json = json.ok_or_else(|| StoreError::item_missing(&self.id, item))?;
        Ok(StoredItem::new(item, &json))
    }

    /// The history, and the records whose use is to be noted.
    pub(super) fn history(
        &self,
        connection: &Connection,
        limits: &Limits,
    ) -> Result<(History, Vec<i64>), StoreError> {
        let bytes = i64::try_from(limits.history_bytes).unwrap_or(i64::MAX);
        let given = params![self.owner, self.id, self.now, limits.history_records, bytes];
        let rows = all(connection, sql::HISTORY, given, |row| {
            Ok(HistoryRow {
                depth: row.get(0)?,
                total: row.get(1)?,
                previous: row.get(2)?,
                number: row.get(3)?,
                expires_at: row.get(4)?,
                kind: row.get(5)?,
                status: row.get(6)?,
                item: item(row, 7)?,
            })
        })?;
        let unnoted = sql::unnoted(&rows, limits, self.now);
        Ok((sql::history(rows, &self.id, limits)?, unnoted))
    }

    pub(super) fn find(
        &self,
        connection: &Connection,
        ids: &[String],
    ) -> Result<Vec<StoredItem>, StoreError> {
        let mut found = Vec::new();
        let mut statement = prepare(connection, FIND)?;
        for id in ids {
            let given = params![self.owner, id, self.now];
            found.extend(statement.query_row(given, |row| item(row, 0)).optional()?);
        }
        Ok(found.into_iter().flatten().collect())
    }
}

fn all<T>(
    connection: &Connection,
    statement: &str,
    given: &[&dyn ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = prepare(connection, statement)?;
    let rows = statement.query_map(given, read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The item whose id is in column `first` and whose JSON in the next.
fn item(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<StoredItem>> {
    let id: Option<Arc<str>> = row.get(first)?;
    let json: Option<Arc<str>> = row.get(first + 1)?;
    Ok(id.zip(json).map(|(id, json)| StoredItem { id, json }))
}
