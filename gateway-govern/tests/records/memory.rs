//! The store in memory.

use gateway_govern::records::{Limits, MemoryStore, Store};

use crate::conformance;

#[tokio::test]
async fn behaves_as_all_stores_do() {
    conformance::all(async |limits: Limits| Box::new(MemoryStore::new(limits)) as Box<dyn Store>)
        .await;
}
