//! What the rows mean.

use super::{CodedStatus, kind_of, status_of};
use crate::records::{Change, Head, History, ItemPage, Kind, Limits, StoreError, StoredItem};

/// A row of [`LIST_UP`](super::LIST_UP).
pub(in crate::records) struct PageRow {
    /// The place of the item to begin behind.
    pub(in crate::records) after: Option<i64>,
    pub(in crate::records) item: Option<StoredItem>,
}

/// Reads a page of up to `limit` items; one row more was asked for.
pub(in crate::records) fn page(
    rows: Vec<PageRow>,
    id: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<ItemPage, StoreError> {
    let first = rows.first().ok_or_else(|| StoreError::missing(id))?;
    if let (Some(item), None) = (after, first.after) {
        return Err(StoreError::item_missing(id, item));
    }
    let mut items: Vec<StoredItem> = rows.into_iter().filter_map(|row| row.item).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(ItemPage { items, more })
}

/// A row of [`HISTORY`](super::HISTORY): an item, or a record that has none.
pub(in crate::records) struct HistoryRow {
    /// 1 for the record that was asked for.
    pub(in crate::records) depth: i64,
    /// Bytes of the records up to here.
    pub(in crate::records) total: i64,
    pub(in crate::records) previous: Option<String>,
    pub(in crate::records) number: i64,
    pub(in crate::records) expires_at: i64,
    pub(in crate::records) kind: i64,
    pub(in crate::records) status: CodedStatus,
    pub(in crate::records) item: Option<StoredItem>,
}

/// Reads a history out of its rows, oldest first.
pub(in crate::records) fn history(
    rows: Vec<HistoryRow>,
    id: &str,
    limits: &Limits,
) -> Result<History, StoreError> {
    let (Some(oldest), Some(last)) = (rows.first(), rows.last()) else {
        return Err(StoreError::missing(id));
    };
    if !fits(oldest.total, limits.history_bytes)
        || !fits(oldest.depth, limits.history_records.into())
    {
        return Err(limits.too_long());
    }
    if let Some(previous) = &oldest.previous {
        // The line ends where it was cut, or where something is gone.
        let cut = oldest.depth == i64::from(limits.history_records);
        return Err(if cut {
            limits.too_long()
        } else {
            StoreError::missing(previous)
        });
    }
    Ok(History {
        kind: kind_of(last.kind)?,
        status: status_of(last.status)?,
        records: usize::try_from(oldest.depth).unwrap_or(usize::MAX),
        items: rows.into_iter().filter_map(|row| row.item).collect(),
    })
}

fn fits(number: i64, limit: u64) -> bool {
    u64::try_from(number).is_ok_and(|number| number <= limit)
}

/// The records of a history whose use should be noted: those that were last noted a sixteenth of a lifetime ago. Most
/// histories are then read without writing.
pub(in crate::records) fn unnoted(rows: &[HistoryRow], limits: &Limits, now: i64) -> Vec<i64> {
    let recent = limits.end(now) - i64::from(limits.lifetime_seconds / 16);
    let stale = rows.iter().filter(|row| row.expires_at < recent);
    let mut numbers: Vec<i64> = stale.map(|row| row.number).collect();
    numbers.dedup();
    numbers
}

/// Why a change of the record with this head touched no row.
pub(in crate::records) fn refused(head: &Head, change: &Change, limits: &Limits) -> StoreError {
    match (change.status, head.kind, head.status) {
        (Some(_), Kind::Conversation, _) => StoreError::missing(&head.id),
        (Some(_), Kind::Response, Some(status)) if status.ended() => StoreError::Ended {
            id: head.id.clone(),
            status,
        },
        _ => limits.too_large(),
    }
}
