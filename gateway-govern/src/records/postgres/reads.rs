//! Reading.

use std::collections::HashMap;

use gateway_proto::responses::{ListQuery, Order};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::{PostgresStore, statements};
use crate::records::sql::{self, HistoryRow, PageRow};
use crate::records::{Caller, Head, History, ItemPage, StoreError, StoredItem};

impl PostgresStore {
    pub(super) async fn read_head(&self, caller: Caller<'_>, id: &str) -> Result<Head, StoreError> {
        let given = [
            (&caller.owner as _, Type::TEXT),
            (&plain(id)? as _, Type::TEXT),
            (&caller.now as _, Type::INT8),
        ];
        let rows = self.query(sql::HEAD, &given).await?;
        let row = rows.first().ok_or_else(|| StoreError::missing(id))?;
        Ok(Head {
            id: id.to_owned(),
            kind: sql::kind_of(row.try_get(0)?)?,
            status: sql::status_of(row.try_get(1)?)?,
            created_at: row.try_get(2)?,
            previous: row.try_get(3)?,
            conversation: row.try_get(4)?,
            body: row.try_get::<_, &str>(5)?.into(),
        })
    }

    pub(super) async fn read_page(
        &self,
        caller: Caller<'_>,
        id: &str,
        query: &ListQuery,
    ) -> Result<ItemPage, StoreError> {
        let statement = match query.order {
            Order::Ascending => sql::LIST_UP,
            Order::Descending => sql::LIST_DOWN,
        };
        let after = query.after.as_deref();
        if let Some(after) = after.filter(|after| plain(after).is_err()) {
            return Err(StoreError::item_missing(id, after));
        }
        let most = i64::try_from(query.limit).unwrap_or(i64::MAX - 1) + 1;
        let given = [
            (&caller.owner as _, Type::TEXT),
            (&plain(id)? as _, Type::TEXT),
            (&caller.now as _, Type::INT8),
            (&after as _, Type::TEXT),
            (&most as _, Type::INT8),
        ];
        let rows = self.query(statement, &given).await?;
        let read = |row: &Row| {
            Ok(PageRow {
                after: row.try_get(0)?,
                item: item(row, 1)?,
            })
        };
        let rows = rows.iter().map(read).collect::<Result<_, StoreError>>()?;
        sql::page(rows, id, after, query.limit)
    }

    pub(super) async fn read_item(
        &self,
        caller: Caller<'_>,
        id: &str,
        item: &str,
    ) -> Result<StoredItem, StoreError> {
        let missing = || StoreError::item_missing(id, item);
        let given = [
            (&caller.owner as _, Type::TEXT),
            (&plain(id)? as _, Type::TEXT),
            (&caller.now as _, Type::INT8),
            (&plain(item).map_err(|_| missing())? as _, Type::TEXT),
        ];
        let rows = self.query(sql::ITEM, &given).await?;
        let row = rows.first().ok_or_else(|| StoreError::missing(id))?;
        let json: Option<&str> = row.try_get(0)?;
        Ok(StoredItem::new(item, json.ok_or_else(missing)?))
    }

    /// The history, and the records whose use is to be noted.
    pub(super) async fn read_history(
        &self,
        caller: Caller<'_>,
        id: &str,
    ) -> Result<(History, Vec<i64>), StoreError> {
        let records = i64::from(self.limits.history_records);
        let bytes = i64::try_from(self.limits.history_bytes).unwrap_or(i64::MAX);
        let given = [
            (&caller.owner as _, Type::TEXT),
            (&plain(id)? as _, Type::TEXT),
            (&caller.now as _, Type::INT8),
            (&records as _, Type::INT8),
            (&bytes as _, Type::INT8),
        ];
        let rows = self.query(sql::HISTORY, &given).await?;
        let rows = rows.iter().map(history_row);
        let rows: Vec<HistoryRow> = rows.collect::<Result<_, StoreError>>()?;
        let unnoted = sql::unnoted(&rows, &self.limits, caller.now);
        Ok((sql::history(rows, id, &self.limits)?, unnoted))
    }

    pub(super) async fn read_items(
        &self,
        caller: Caller<'_>,
        ids: &[&str],
    ) -> Result<Vec<StoredItem>, StoreError> {
        let plain: Vec<&str> = ids.iter().copied().filter(|id| plain(id).is_ok()).collect();
        let given = [
            (&caller.owner as _, Type::TEXT),
            (&plain as _, Type::TEXT_ARRAY),
            (&caller.now as _, Type::INT8),
        ];
        let rows = self.query(statements::FIND, &given).await?;
        let rows = rows.iter().map(|row| item(row, 0));
        let found: Vec<Option<StoredItem>> = rows.collect::<Result<_, _>>()?;
        let found = found.into_iter().flatten();
        let found: HashMap<_, _> = found.map(|item| (item.id.clone(), item)).collect();
        let ordered = ids.iter().filter_map(|id| found.get(*id).cloned());
        Ok(ordered.collect())
    }
}

/// PostgreSQL takes no NUL, so that no record has such an id.
pub(super) fn plain(id: &str) -> Result<&str, StoreError> {
    if id.contains('\0') {
        return Err(StoreError::missing(id));
    }
    Ok(id)
}

fn history_row(row: &Row) -> Result<HistoryRow, StoreError> {
    Ok(HistoryRow {
        depth: row.try_get(0)?,
        total: row.try_get(1)?,
        previous: row.try_get(2)?,
        number: row.try_get(3)?,
        expires_at: row.try_get(4)?,
        kind: row.try_get(5)?,
        status: row.try_get(6)?,
        item: item(row, 7)?,
    })
}

/// The item whose id is in column `first` and whose JSON in the next.
fn item(row: &Row, first: usize) -> Result<Option<StoredItem>, StoreError> {
    let id: Option<&str> = row.try_get(first)?;
    let json: Option<&str> = row.try_get(first + 1)?;
    Ok(id.zip(json).map(|(id, json)| StoredItem::new(id, json)))
}
