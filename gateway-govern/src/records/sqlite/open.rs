//! Opening the file.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::records::StoreError;
use crate::records::sql::{TABLES, VERSION};

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(5);
/// Compiled statements to keep.
const STATEMENTS: usize = 64;

/// A connection that writes; the tables are there afterwards.
pub(super) fn writer(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    settings(&connection)?;
    // Only a file without tables takes this. Freed pages can then go back to the disk.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    tables(&mut connection)?;
    Ok(connection)
}

/// A connection that reads while the other one writes.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    settings(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn settings(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection.pragma_update(None, "foreign_keys", true)?)
}

fn tables(connection: &mut Connection) -> Result<(), StoreError> {
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = step.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > VERSION {
        let known = VERSION;
        return Err(StoreError::Schema { found, known });
    }
    if found == 0 {
        let number = "INTEGER PRIMARY KEY AUTOINCREMENT";
        step.execute_batch(&TABLES.replace("{number}", number))?;
        step.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(step.commit()?)
}
