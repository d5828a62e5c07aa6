//! Opening the store of responses and conversations.

use std::sync::Arc;

use gateway_govern::records::{
    MemoryStore, PostgresOptions, PostgresStore, SqliteStore, Store, StoreError,
};
use tokio::task;

use crate::config::{ResponsesConfig, StoreConfig};

/// Opens what `config` says.
///
/// # Errors
/// Where the file cannot be opened, or the database does not answer.
pub(crate) async fn open(config: &ResponsesConfig) -> Result<Arc<dyn Store>, StoreError> {
    let limits = config.limits;
    Ok(match &config.store {
        StoreConfig::Memory => Arc::new(MemoryStore::new(limits)),
        StoreConfig::Sqlite(path) => {
            let path = path.clone();
            let opened = task::spawn_blocking(move || SqliteStore::open(&path, limits)).await;
            Arc::new(opened.map_err(|error| StoreError::Unavailable(Box::new(error)))??)
        }
        StoreConfig::Postgres(url) => {
            let options = PostgresOptions::parse(&url.0)?;
            Arc::new(PostgresStore::open(&options, limits).await?)
        }
    })
}
