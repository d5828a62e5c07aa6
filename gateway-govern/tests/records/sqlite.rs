//! The store in a file.

use std::fs;

use gateway_govern::records::{Limits, SqliteStore, Store, StoreError};
use rusqlite::Connection;
use tempfile::tempdir;

use crate::conformance::{self, ANN, conversation, ids, item, response};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn behaves_as_all_stores_do() {
    let folder = tempdir().unwrap();
    let made = std::cell::Cell::new(0);
    conformance::all(async |limits: Limits| {
        made.set(made.get() + 1);
        let path = folder.path().join(format!("{}.db", made.get()));
        Box::new(SqliteStore::open(&path, limits).unwrap()) as Box<dyn Store>
    })
    .await;
}

#[tokio::test]
async fn a_restart_keeps_the_data() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("records.db");
    let store = SqliteStore::open(&path, Limits::database()).unwrap();
    store.put(ANN, response("r1")).await.unwrap();
    let held = store.usage();
    drop(store);
    let store = SqliteStore::open(&path, Limits::database()).unwrap();
    assert_eq!(store.history(ANN, "r1").await.unwrap().items.len(), 2);
    assert_eq!(store.usage(), held);
    assert!(held.records == 1 && held.bytes > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_share_a_file() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("records.db");
    let open = || SqliteStore::open(&path, Limits::database()).unwrap();
    let (left, right) = (open(), open());
    left.put(ANN, conversation("c", &["c_0"])).await.unwrap();
    for round in 0..10 {
        let (a, b) = (format!("a{round}"), format!("b{round}"));
        let (one, other) = tokio::join!(
            left.append(ANN, "c", vec![item(&a)]),
            right.append(ANN, "c", vec![item(&b)])
        );
        one.unwrap();
        other.unwrap();
    }
    let seen = left.history(ANN, "c").await.unwrap();
    assert_eq!(seen, right.history(ANN, "c").await.unwrap());
    assert_eq!(ids(&seen.items).len(), 21);
}

#[tokio::test]
async fn refuses_later_tables_and_other_files() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("records.db");
    drop(SqliteStore::open(&path, Limits::database()).unwrap());
    let file = Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let refused = SqliteStore::open(&path, Limits::database());
    assert!(matches!(refused, Err(StoreError::Schema { found: 99, .. })));
    let other = folder.path().join("other.db");
    fs::write(
        &other,
        "this is no database, but long enough to be looked at".repeat(9),
    )
    .unwrap();
    let refused = SqliteStore::open(&other, Limits::database());
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    let nowhere = folder.path().join("no/such/folder.db");
    let refused = SqliteStore::open(&nowhere, Limits::database());
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn much_goes_in_batches() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("records.db");
    let store = SqliteStore::open(&path, Limits::database()).unwrap();
    let tight = async || {
        Box::new(SqliteStore::open(&path, conformance::tight()).unwrap()) as Box<dyn Store>
    };
    conformance::lets_go_in_batches(&store, tight).await;
}

#[tokio::test]
async fn room_goes_back_to_the_disk() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("records.db");
    let store = SqliteStore::open(&path, Limits::database()).unwrap();
    for number in 0..40 {
        let mut record = response(&format!("r{number}"));
        record.head.body = "x".repeat(100 << 10).into();
        store.put(ANN, record).await.unwrap();
    }
    store.sweep(ANN.now).await.unwrap();
    store.sweep(i64::MAX).await.unwrap();
    drop(store);
    let left = fs::metadata(&path).unwrap().len();
    assert!(left < 1 << 20, "{left} bytes are left of 4 MB");
}
