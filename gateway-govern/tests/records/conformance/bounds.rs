//! How much is kept, and for how long.

use gateway_govern::records::{
    Change, Head, Limits, Record, Status, Store, StoreError, StoredItem,
};

use super::{ANN, NOW, continuing, conversation, item, later, missing, response};

/// Lifetime 1600 s.
pub(super) async fn use_prolongs(store: &dyn Store) {
    store.put(ANN, response("u1")).await.unwrap();
    store.put(ANN, continuing("u2", "u1")).await.unwrap();
    store.put(ANN, response("idle")).await.unwrap();
    store.put(ANN, conversation("c", &["c_1"])).await.unwrap();
    store.history(later(1000), "u2").await.unwrap();
    store
        .append(later(1000), "c", vec![item("c_2")])
        .await
        .unwrap();
    assert!(store.head(later(1599), "idle").await.is_ok());
    // Ended is gone, swept or not.
    missing(store.head(later(1600), "idle").await, "idle");
    missing(
        store.update(later(1600), "idle", Change::default()).await,
        "idle",
    );
    assert_eq!(
        store.find_items(later(1600), &["idle_in"]).await.unwrap(),
        []
    );
    let usage = store.sweep(NOW + 1600).await.unwrap();
    assert_eq!((usage.records, usage.expired, usage.evicted), (3, 1, 0));
    assert_eq!(store.history(later(2599), "u2").await.unwrap().records, 2);
    assert_eq!(
        store.history(later(2599), "c").await.unwrap().items.len(),
        2
    );
    let usage = store.sweep(NOW + 10_000).await.unwrap();
    assert_eq!((usage.records, usage.bytes, usage.expired), (0, 0, 4));
}

pub(super) async fn counts_what_it_holds(store: &dyn Store) {
    assert_eq!(store.usage().records, 0);
    store.put(ANN, conversation("c", &["c_1"])).await.unwrap();
    let one = store.sweep(NOW).await.unwrap();
    assert_eq!(one.records, 1);
    store
        .append(ANN, "c", vec![item("c_2"), item("c_1")])
        .await
        .unwrap();
    let more = store.sweep(NOW).await.unwrap();
    let added = more.bytes - one.bytes;
    assert!(added > item("c_2").json.len() as u64, "{added}");
    store.delete_item(ANN, "c", "c_2").await.unwrap();
    assert_eq!(store.usage().bytes, one.bytes);
    assert_eq!(store.sweep(NOW).await.unwrap(), one);
    let body = Change {
        body: Some("{....}".into()),
        ..Change::default()
    };
    store.update(ANN, "c", body).await.unwrap();
    assert_eq!(store.sweep(NOW).await.unwrap().bytes, one.bytes + 4);
    store.delete(ANN, "c").await.unwrap();
    assert_eq!(store.sweep(NOW).await.unwrap().bytes, 0);
}

pub(super) async fn lets_go_the_longest_unused(make: impl AsyncFn(Limits) -> Box<dyn Store>) {
    let limits = Limits {
        lifetime_seconds: 1600,
        records: 8,
        bytes: 64 << 10,
        record_bytes: 16 << 10,
        history_records: 3,
        history_bytes: 20 << 10,
    };
    by_count(&*make(limits).await).await;
    by_size(&*make(limits).await).await;
    short_histories(&*make(limits).await).await;
}

async fn by_count(store: &dyn Store) {
    for number in 0..8 {
        let caller = later(number);
        store
            .put(caller, response(&format!("n{number}")))
            .await
            .unwrap();
    }
    store.history(later(500), "n0").await.unwrap();
    store.put(later(501), response("n8")).await.unwrap();
    missing(store.head(later(502), "n1").await, "n1");
    assert!(store.head(later(502), "n0").await.is_ok());
    assert!(store.head(later(502), "n8").await.is_ok());
    for number in 10..100 {
        let caller = later(500 + number);
        store
            .put(caller, response(&format!("n{number}")))
            .await
            .unwrap();
        assert!(store.usage().records <= 8);
    }
    let usage = store.sweep(NOW + 600).await.unwrap();
    assert_eq!(usage.records + usage.evicted, 99);
    assert!((6..=8).contains(&usage.records), "{usage:?}");
}

/// `tight` opens what `store` has filled with far more than its bounds, which are those of [`tight`].
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) async fn lets_go_in_batches(
    store: &dyn Store,
    tight: impl AsyncFnOnce() -> Box<dyn Store>,
) {
    for number in 0..1_100 {
        let record = response(&format!("n{number}"));
        store.put(later(number), record).await.unwrap();
    }
    let tight = tight().await;
    let usage = tight.sweep(NOW).await.unwrap();
    assert_eq!((usage.records, usage.evicted), (30, 1_070));
    assert_eq!(tight.sweep(NOW).await.unwrap(), usage, "as it is measured");
    assert!(tight.head(later(1_100), "n1070").await.is_ok());
    missing(tight.head(later(1_100), "n1069").await, "n1069");
}

/// At most 32 records.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn tight() -> Limits {
    Limits {
        records: 32,
        ..Limits::database()
    }
}

async fn by_size(store: &dyn Store) {
    let large = |id: &str, size| {
        let body = "x".repeat(size);
        Record::new(Head::response(id, NOW, Status::Completed, &body))
    };
    let answer = store.put(ANN, large("huge", 17 << 10)).await;
    assert!(matches!(answer, Err(StoreError::TooLarge { limit_bytes }) if limit_bytes == 16 << 10));
    for number in 0..5 {
        let record = large(&format!("l{number}"), 14 << 10);
        store.put(later(number), record).await.unwrap();
        assert!(store.usage().bytes <= 64 << 10);
    }
    missing(store.head(later(9), "l0").await, "l0");
    assert!(store.head(later(9), "l4").await.is_ok());
    let change = Change {
        body: Some("x".repeat(17 << 10).into()),
        ..Change::default()
    };
    let answer = store.update(later(9), "l4", change).await;
    assert!(matches!(answer, Err(StoreError::TooLarge { .. })));
    assert_eq!(
        store.head(later(9), "l4").await.unwrap().body.len(),
        14 << 10
    );
    store
        .put(later(9), conversation("grows", &[]))
        .await
        .unwrap();
    let piece = |number: usize| StoredItem::new(&format!("g{number}"), &"x".repeat(4 << 10));
    let answer = store
        .append(later(9), "grows", (0..4).map(piece).collect())
        .await;
    assert!(matches!(answer, Err(StoreError::TooLarge { .. })));
    store
        .append(later(9), "grows", (0..3).map(piece).collect())
        .await
        .unwrap();
    let history = store.history(later(9), "grows").await.unwrap();
    assert_eq!(history.items.len(), 3);
}

/// At most 3 records and 20 KiB.
async fn short_histories(store: &dyn Store) {
    store.put(ANN, response("s1")).await.unwrap();
    for number in 2..=4 {
        let record = continuing(&format!("s{number}"), &format!("s{}", number - 1));
        store.put(ANN, record).await.unwrap();
    }
    assert_eq!(store.history(ANN, "s3").await.unwrap().records, 3);
    let long = store.history(ANN, "s4").await;
    assert!(
        matches!(long, Err(StoreError::HistoryTooLong { .. })),
        "{long:?}"
    );
    for (id, previous) in [("w1", None), ("w2", Some("w1"))] {
        let mut record = response(id);
        record
            .input
            .push(StoredItem::new("w", &"x".repeat(11 << 10)));
        record.head.previous = previous.map(str::to_owned);
        store.put(ANN, record).await.unwrap();
    }
    assert!(store.history(ANN, "w1").await.is_ok());
    let long = store.history(ANN, "w2").await;
    assert!(
        matches!(long, Err(StoreError::HistoryTooLong { .. })),
        "{long:?}"
    );
}
