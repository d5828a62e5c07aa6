//! The tables, and their version.

use tokio_postgres::{Client, GenericClient};

use super::connect::Refusal;
use crate::records::sql::{TABLES, VERSION};

/// Only one gateway at a time creates tables: any number that nobody else uses.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7453010389214651)";
/// Not `to_regclass`, which within a transaction may remember what it found before the lock.
const EXISTS: &str = "
SELECT EXISTS (
  SELECT 1 FROM pg_catalog.pg_class
  WHERE relname = 'gateway_records_version' AND pg_catalog.pg_table_is_visible(oid)
)";

/// Creates the tables where there are none.
pub(super) async fn create(client: &mut Client) -> Result<(), Refusal> {
    if present(client).await? {
        return Ok(());
    }
    let step = client.transaction().await?;
    step.batch_execute(LOCK).await?;
    if !present(&step).await? {
        let number = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
        step.batch_execute(&TABLES.replace("{number}", number))
            .await?;
        let version = format!(
            "CREATE TABLE gateway_records_version (version BIGINT NOT NULL);
             INSERT INTO gateway_records_version VALUES ({VERSION})"
        );
        step.batch_execute(&version).await?;
    }
    Ok(step.commit().await?)
}

/// Whether the tables are there, in a version that this program knows.
async fn present(client: &impl GenericClient) -> Result<bool, Refusal> {
    let there = client.query_typed(EXISTS, &[]).await?;
    if !there.iter().any(|row| row.get(0)) {
        return Ok(false);
    }
    let version = "SELECT max(version) FROM gateway_records_version";
    let row = client.query_one(version, &[]).await?;
    let found: Option<i64> = row.get(0);
    match found {
        Some(found) if found > VERSION => {
            let known = VERSION;
            Err(Refusal::Schema { found, known })
        }
        _ => Ok(true),
    }
}
