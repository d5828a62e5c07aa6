//! Writing.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::reads::{Asked, prepare};
use crate::records::ledger::{Excess, Ledger};
use crate::records::record::{distinct, items_bytes};
use crate::records::sql;
use crate::records::{Caller, Change, Head, Kind, Limits, Record, StoreError, StoredItem};

const ADD_ITEM: &str = "
INSERT INTO gateway_items (record, place, part, id, json) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (record, id) DO NOTHING";

/// `$1` owner, `$2` record, `$3` item.
const HAS_ITEM: &str = "
SELECT 1 FROM gateway_items i JOIN gateway_records r ON r.number = i.record
WHERE r.owner = $1 AND r.id = $2 AND i.id = $3";

const GROW: &str = "
UPDATE gateway_records
SET bytes = bytes + $4, expires_at = $5, next_place = next_place + $6
WHERE owner = $1 AND id = $2 AND expires_at > $3
RETURNING number, next_place - $6, bytes";

const REMOVE_ITEM: &str = "
DELETE FROM gateway_items
WHERE id = $2 AND record = $1
RETURNING json";

/// One transaction of the thread that writes.
pub(super) struct Writer<'a> {
    step: Transaction<'a>,
    caller: Caller<'a>,
    limits: &'a Limits,
    ledger: &'a Ledger,
}

/// What the database holds, into the ledger.
pub(super) fn measure(connection: &Connection, ledger: &Ledger) -> Result<(), StoreError> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let (records, bytes) = prepare(connection, sql::MEASURE)?.query_row([], read)?;
    ledger.measured(records, bytes);
    Ok(())
}

impl Writer<'_> {
    /// Does `work` in one transaction, and makes room where it leaves too much.
    pub(super) fn run<T>(
        connection: &mut Connection,
        caller: Caller<'_>,
        limits: &Limits,
        ledger: &Ledger,
        work: impl FnOnce(&mut Writer<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut writer = Writer {
            step,
            caller,
            limits,
            ledger,
        };
        let done = work(&mut writer)?;
        if ledger.excess(limits).is_some() {
            writer.make_room()?;
        }
        writer.step.commit()?;
        Ok(done)
    }

    pub(super) fn put(&mut self, record: &Record) -> Result<(), StoreError> {
        let head = &record.head;
        let bytes = signed(record.bytes());
        let given = params![
            self.caller.owner,
            head.id,
            sql::kind_code(head.kind),
            head.status.map(sql::status_code),
            head.previous,
            head.conversation,
            head.body,
            head.created_at,
            self.limits.end(self.caller.now),
            bytes,
            signed((record.input.len() + record.output.len()) as u64),
        ];
        let number: Option<i64> = prepare(&self.step, sql::INSERT)?
            .query_row(given, |row| row.get(0))
            .optional()?;
        let number = number.ok_or_else(|| StoreError::Exists {
            id: head.id.clone(),
        })?;
        self.add_items(number, 0, sql::INPUT, &record.input)?;
        let place = signed(record.input.len() as u64);
        self.add_items(number, place, sql::OUTPUT, &record.output)?;
        self.ledger.changed(1, bytes);
        Ok(())
    }

    fn add_items(
        &self,
        record: i64,
        place: i64,
        part: i64,
        items: &[StoredItem],
    ) -> Result<(), StoreError> {
        let mut statement = prepare(&self.step, ADD_ITEM)?;
        for (place, item) in (place..).zip(items) {
            statement.execute(params![record, place, part, item.id, item.json])?;
        }
        Ok(())
    }

    fn head(&self, id: &str) -> Result<Head, StoreError> {
        Asked::new(self.caller, id).head(&self.step)
    }

    fn conversation(&self, id: &str) -> Result<(), StoreError> {
        match self.head(id)?.kind {
            Kind::Conversation => Ok(()),
            Kind::Response => Err(StoreError::missing(id)),
        }
    }

    /// Those of `items` that the record does not hold yet.
    fn fresh(&self, id: &str, items: Vec<StoredItem>) -> Result<Vec<StoredItem>, StoreError> {
        let mut statement = prepare(&self.step, HAS_ITEM)?;
        let mut fresh = Vec::new();
        for item in distinct(items, &mut Default::default())? {
            if !statement.exists(params![self.caller.owner, id, item.id])? {
                fresh.push(item);
            }
        }
        Ok(fresh)
    }

    pub(super) fn update(&mut self, id: &str, change: &Change) -> Result<(), StoreError> {
        let output = self.fresh(id, change.output.clone())?;
        let bytes = signed(items_bytes(&output));
        let given = params![
            self.caller.owner,
            id,
            self.caller.now,
            change.status.map(sql::status_code),
            change.body,
            bytes,
            self.limits.end(self.caller.now),
            signed(output.len() as u64),
            signed(self.limits.largest()),
        ];
        let changed = prepare(&self.step, sql::UPDATE)?
            .query_row(given, |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((number, place)) = changed else {
            return Err(sql::refused(&self.head(id)?, change, self.limits));
        };
        self.add_items(number, place, sql::OUTPUT, &output)?;
        let body = change.body.as_ref().map_or(0, |body| body.len());
        self.ledger.changed(0, bytes + signed(body as u64));
        Ok(())
    }

    pub(super) fn append(&mut self, id: &str, items: Vec<StoredItem>) -> Result<(), StoreError> {
        self.conversation(id)?;
        let items = self.fresh(id, items)?;
        let bytes = signed(items_bytes(&items));
        let (number, place, total) = self.grow(id, bytes, signed(items.len() as u64))?;
        if total > signed(self.limits.largest()) {
            return Err(self.limits.too_large());
        }
        self.ledger.changed(0, bytes);
        self.add_items(number, place, sql::INPUT, &items)
    }

    /// Counts `bytes` and `places` to a record; gives its number, the first new place and its bytes.
    fn grow(&self, id: &str, bytes: i64, places: i64) -> Result<(i64, i64, i64), StoreError> {
        let given = params![
            self.caller.owner,
            id,
            self.caller.now,
            bytes,
            self.limits.end(self.caller.now),
            places,
        ];
        let grown = prepare(&self.step, GROW)?
            .query_row(given, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        grown.ok_or_else(|| StoreError::missing(id))
    }

    pub(super) fn delete(&mut self, id: &str) -> Result<(), StoreError> {
        let given = params![self.caller.owner, id, self.caller.now];
        let bytes: Option<i64> = prepare(&self.step, sql::DELETE)?
            .query_row(given, |row| row.get(0))
            .optional()?;
        let bytes = bytes.ok_or_else(|| StoreError::missing(id))?;
        self.ledger.changed(-1, -bytes);
        Ok(())
    }

    pub(super) fn delete_item(&mut self, id: &str, item: &str) -> Result<(), StoreError> {
        self.conversation(id)?;
        let (number, ..) = self.grow(id, 0, 0)?;
        let json: Option<String> = prepare(&self.step, REMOVE_ITEM)?
            .query_row(params![number, item], |row| row.get(0))
            .optional()?;
        let json = json.ok_or_else(|| StoreError::item_missing(id, item))?;
        let freed = StoredItem::new(item, &json).bytes();
        self.grow(id, -signed(freed), 0)?;
        self.ledger.changed(0, -signed(freed));
        Ok(())
    }

    pub(super) fn note_use(&mut self, numbers: &[i64]) -> Result<(), StoreError> {
        let statement =
            "UPDATE gateway_records SET expires_at = MAX(expires_at, $1) WHERE number = $2";
        let mut statement = prepare(&self.step, statement)?;
        for number in numbers {
            statement.execute(params![self.limits.end(self.caller.now), number])?;
        }
        Ok(())
    }

    /// Lets go what has ended, measures, and lets go what is too much.
    pub(super) fn sweep(&mut self) -> Result<(), StoreError> {
        let ended = self.in_batches(sql::PURGE, params![self.caller.now, sql::BATCH])?;
        self.ledger.expired(ended);
        self.make_room()?;
        // Each step gives back one page.
        let mut vacuum = prepare(&self.step, "PRAGMA incremental_vacuum(4096)")?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
        Ok(())
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        measure(&self.step, self.ledger)?;
        while let Some(excess) = self.ledger.excess(self.limits) {
            let (records, bytes) = self.evict(excess)?;
            self.ledger.changed(-records, -bytes);
            self.ledger.evicted(records.unsigned_abs());
            if records == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Lets go one batch; gives its records and bytes. Nobody else writes meanwhile, so that they need no measuring.
    fn evict(&self, Excess { records, bytes }: Excess) -> Result<(i64, i64), StoreError> {
        let mut statement = prepare(&self.step, sql::EVICT)?;
        let given = params![records, bytes, sql::BATCH];
        let gone = statement.query_map(given, |row| row.get::<_, i64>(0))?;
        let mut sum = (0, 0);
        for bytes in gone {
            sum = (sum.0 + 1, sum.1 + bytes?);
        }
        Ok(sum)
    }

    fn in_batches(
        &self,
        statement: &str,
        given: &[&dyn rusqlite::ToSql],
    ) -> Result<u64, StoreError> {
        let mut statement = prepare(&self.step, statement)?;
        let mut gone = 0;
        loop {
            let batch = statement.execute(given)?;
            gone += batch as u64;
            if batch == 0 {
                return Ok(gone);
            }
        }
    }
}

/// Sizes as the database counts them.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measuring_and_making_room_read_no_records() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let connection = super::super::open::writer(file.path()).unwrap();
        for statement in [sql::MEASURE, sql::EVICT] {
            let explain = format!("EXPLAIN QUERY PLAN {statement}");
            let mut plan = prepare(&connection, &explain).unwrap();
            let given = vec![1_i64; plan.parameter_count()];
            let steps = plan.query_map(rusqlite::params_from_iter(given), |row| row.get(3));
            let steps: Vec<String> = steps.unwrap().map(Result::unwrap).collect();
            let covered = "gateway_records USING COVERING INDEX gateway_records_use";
            assert!(steps.iter().any(|step| step.contains(covered)), "{steps:?}");
        }
    }
}
