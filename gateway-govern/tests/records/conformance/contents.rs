//! What is kept, told, listed and changed.

use std::sync::Arc;

use futures_util::future::join_all;
use gateway_govern::records::{Change, Head, Record, Status, Store, StoreError, StoredItem};
use gateway_proto::responses::{ListQuery, Order};

use super::{ANN, BOB, NOW, continuing, conversation, ids, item, item_missing, missing, response};

pub(super) async fn keeps_and_deletes(store: &dyn Store) {
    let mut record = continuing("r1", "r0");
    record.head.conversation = Some("c0".to_owned());
    store.put(ANN, record.clone()).await.unwrap();
    assert_eq!(store.head(ANN, "r1").await.unwrap(), record.head);
    let again = store.put(ANN, record.clone()).await;
    assert!(matches!(again, Err(StoreError::Exists { id }) if id == "r1"));
    let listed = store.list(ANN, "r1", &ListQuery::default()).await.unwrap();
    assert_eq!(listed.items, record.input);
    store.delete(ANN, "r1").await.unwrap();
    missing(store.head(ANN, "r1").await, "r1");
    missing(store.delete(ANN, "r1").await, "r1");
    missing(store.list(ANN, "r1", &ListQuery::default()).await, "r1");
    store.put(ANN, record).await.unwrap();
    store.delete(ANN, "r1").await.unwrap();
}

pub(super) async fn keeps_callers_apart(store: &dyn Store) {
    store
        .put(ANN, conversation("own", &["own_1"]))
        .await
        .unwrap();
    missing(store.head(BOB, "own").await, "own");
    missing(store.delete(BOB, "own").await, "own");
    missing(store.update(BOB, "own", Change::default()).await, "own");
    missing(store.append(BOB, "own", vec![item("x")]).await, "own");
    missing(store.history(BOB, "own").await, "own");
    missing(store.item(BOB, "own", "own_1").await, "own");
    missing(store.delete_item(BOB, "own", "own_1").await, "own");
    missing(store.list(BOB, "own", &ListQuery::default()).await, "own");
    assert_eq!(store.find_items(BOB, &["own_1"]).await.unwrap(), []);
    // The same id is another record.
    store
        .put(BOB, conversation("own", &["bobs"]))
        .await
        .unwrap();
    let history = store.history(ANN, "own").await.unwrap();
    assert_eq!(ids(&history.items), ["own_1"]);
    // Nor does a line lead to another's records.
    store.put(BOB, continuing("bobs_r", "ann_r")).await.unwrap();
    store.put(ANN, response("ann_r")).await.unwrap();
    missing(store.history(BOB, "bobs_r").await, "ann_r");
}

pub(super) async fn keeps_any_text(store: &dyn Store) {
    let body = r#"{"text":"'; DROP TABLE gateway_records; -- \u0000 $1 ?1 \\ 🦀"}"#;
    let mut record = Record::new(Head::response("odd' \" % \\", -5, Status::Failed, body));
    record.input = vec![StoredItem::new("it'em", &"🦀".repeat(100_000))];
    store.put(ANN, record.clone()).await.unwrap();
    let id = &record.head.id;
    assert_eq!(store.head(ANN, id).await.unwrap(), record.head);
    let found = store.item(ANN, id, "it'em").await.unwrap();
    assert_eq!(found, record.input[0]);
}

pub(super) async fn an_end_is_the_end(store: &dyn Store) {
    let head = Head::response("bg", NOW, Status::Queued, "{}");
    store.put(ANN, Record::new(head)).await.unwrap();
    let progress = Change {
        status: Some(Status::InProgress),
        ..Change::default()
    };
    store.update(ANN, "bg", progress.clone()).await.unwrap();
    let end = Change {
        status: Some(Status::Completed),
        body: Some("{\"done\":true}".into()),
        output: vec![item("bg_1"), item("bg_2"), item("bg_1")],
    };
    store.update(ANN, "bg", end).await.unwrap();
    let late = store.update(ANN, "bg", progress).await;
    assert!(matches!(late, Err(StoreError::Ended { status, .. }) if status == Status::Completed));
    let notes = Change {
        body: Some("{\"done\":1}".into()),
        output: vec![item("bg_2"), item("bg_3")],
        ..Change::default()
    };
    store.update(ANN, "bg", notes).await.unwrap();
    let head = store.head(ANN, "bg").await.unwrap();
    assert_eq!(&*head.body, "{\"done\":1}");
    assert_eq!(head.status, Some(Status::Completed));
    let history = store.history(ANN, "bg").await.unwrap();
    assert_eq!(ids(&history.items), ["bg_1", "bg_2", "bg_3"]);
    // What the model said is not listed as input.
    let listed = store.list(ANN, "bg", &ListQuery::default()).await.unwrap();
    assert_eq!(listed.items, []);
    missing(store.update(ANN, "none", Change::default()).await, "none");
}

pub(super) async fn one_end_wins(store: &Arc<dyn Store>) {
    let head = Head::response("race", NOW, Status::InProgress, "{}");
    store.put(ANN, Record::new(head)).await.unwrap();
    let ends = [Status::Completed, Status::Cancelled].repeat(8);
    let tasks = ends.into_iter().map(|status| {
        let store = Arc::clone(store);
        let change = Change {
            status: Some(status),
            output: vec![item(&format!("race_{status}"))],
            ..Change::default()
        };
        tokio::spawn(async move { store.update(ANN, "race", change).await.map(|()| status) })
    });
    let outcomes = join_all(tasks).await.into_iter().map(Result::unwrap);
    let won: Vec<Status> = outcomes.filter_map(Result::ok).collect();
    assert_eq!(won.len(), 1);
    let history = store.history(ANN, "race").await.unwrap();
    assert_eq!(history.status, Some(won[0]));
    assert_eq!(ids(&history.items), [format!("race_{}", won[0])]);
}

pub(super) async fn lists_in_pages(store: &dyn Store) {
    let all = ["p0", "p1", "p2", "p3", "p4"];
    store.put(ANN, conversation("pages", &all)).await.unwrap();
    for (order, wanted) in [
        (Order::Ascending, all.to_vec()),
        (Order::Descending, all.iter().rev().copied().collect()),
    ] {
        for limit in 1..=6 {
            let mut query = ListQuery {
                after: None,
                limit,
                order,
            };
            let mut seen = Vec::new();
            loop {
                let page = store.list(ANN, "pages", &query).await.unwrap();
                assert!(page.items.len() <= limit);
                seen.extend(ids(&page.items).into_iter().map(str::to_owned));
                assert_eq!(page.more, seen.len() < all.len(), "{order:?} {limit}");
                if !page.more {
                    break;
                }
                query.after = seen.last().cloned();
            }
            assert_eq!(seen, wanted, "{order:?} {limit}");
        }
    }
    let beyond = ListQuery {
        after: Some("p9".to_owned()),
        ..ListQuery::default()
    };
    item_missing(store.list(ANN, "pages", &beyond).await, "p9");
    let last = ListQuery {
        after: Some("p0".to_owned()),
        ..ListQuery::default()
    };
    let page = store.list(ANN, "pages", &last).await.unwrap();
    assert!(page.items.is_empty() && !page.more);
}

pub(super) async fn changes_conversations(store: &dyn Store) {
    store
        .put(ANN, conversation("conv", &["a", "b"]))
        .await
        .unwrap();
    let more = vec![item("c"), item("b"), item("d"), item("c")];
    store.append(ANN, "conv", more.clone()).await.unwrap();
    store.append(ANN, "conv", more).await.unwrap();
    let history = store.history(ANN, "conv").await.unwrap();
    assert_eq!(ids(&history.items), ["a", "b", "c", "d"]);
    assert_eq!(history.status, None);
    store.delete_item(ANN, "conv", "b").await.unwrap();
    item_missing(store.delete_item(ANN, "conv", "b").await, "b");
    item_missing(store.item(ANN, "conv", "b").await, "b");
    assert_eq!(store.item(ANN, "conv", "c").await.unwrap(), item("c"));
    store.append(ANN, "conv", vec![item("b")]).await.unwrap();
    store.append(ANN, "conv", vec![]).await.unwrap();
    let history = store.history(ANN, "conv").await.unwrap();
    assert_eq!(ids(&history.items), ["a", "c", "d", "b"]);
    let notes = Change {
        body: Some("{\"metadata\":{}}".into()),
        ..Change::default()
    };
    store.update(ANN, "conv", notes).await.unwrap();
    assert_eq!(
        &*store.head(ANN, "conv").await.unwrap().body,
        "{\"metadata\":{}}"
    );
    // What is for responses alone, and for conversations alone.
    let status = Change {
        status: Some(Status::Completed),
        ..Change::default()
    };
    missing(store.update(ANN, "conv", status).await, "conv");
    store.put(ANN, response("no_conv")).await.unwrap();
    missing(
        store.append(ANN, "no_conv", vec![item("x")]).await,
        "no_conv",
    );
    missing(
        store.delete_item(ANN, "no_conv", "no_conv_in").await,
        "no_conv",
    );
}

pub(super) async fn parallel_appends_lose_nothing(store: &Arc<dyn Store>) {
    store.put(ANN, conversation("many", &[])).await.unwrap();
    let pair = |number: usize| vec![item(&format!("m{number}a")), item(&format!("m{number}b"))];
    let tasks = (0..40).map(|number| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.append(ANN, "many", pair(number)).await })
    });
    for outcome in join_all(tasks).await {
        outcome.unwrap().unwrap();
    }
    let history = store.history(ANN, "many").await.unwrap();
    assert_eq!(history.items.len(), 80);
    // Those of one append stay together, in order.
    for pair in history.items.chunks(2) {
        let (first, second) = (&pair[0].id, &pair[1].id);
        assert_eq!(first.strip_suffix('a'), second.strip_suffix('b'));
    }
}

pub(super) async fn tells_histories(store: &dyn Store) {
    store.put(ANN, response("h1")).await.unwrap();
    store.put(ANN, continuing("h2", "h1")).await.unwrap();
    store.put(ANN, continuing("h3", "h2")).await.unwrap();
    store.put(ANN, continuing("other", "h1")).await.unwrap();
    let empty = Head {
        previous: Some("h3".to_owned()),
        ..Head::response("h4", NOW, Status::Failed, "{}")
    };
    store.put(ANN, Record::new(empty)).await.unwrap();
    let history = store.history(ANN, "h4").await.unwrap();
    let wanted = ["h1_in", "h1_out", "h2_in", "h2_out", "h3_in", "h3_out"];
    assert_eq!(ids(&history.items), wanted);
    assert_eq!(history.records, 4);
    assert_eq!(history.status, Some(Status::Failed));
    assert_eq!(history.items[0], item("h1_in"));
    store.delete(ANN, "h2").await.unwrap();
    missing(store.history(ANN, "h4").await, "h2");
    assert_eq!(store.history(ANN, "other").await.unwrap().items.len(), 4);
    missing(store.history(ANN, "none").await, "none");
    // A circle has no end.
    store.put(ANN, continuing("o1", "o2")).await.unwrap();
    store.put(ANN, continuing("o2", "o1")).await.unwrap();
    let endless = store.history(ANN, "o1").await;
    assert!(matches!(endless, Err(StoreError::HistoryTooLong { .. })));
}

pub(super) async fn finds_items(store: &dyn Store) {
    store.put(ANN, response("f1")).await.unwrap();
    store
        .put(ANN, conversation("f2", &["f2_a", "f2_b"]))
        .await
        .unwrap();
    let wanted = ["f2_b", "none", "f1_out", "f1_in", "nul\0"];
    let found = store.find_items(ANN, &wanted).await.unwrap();
    assert_eq!(ids(&found), ["f2_b", "f1_out", "f1_in"]);
    let newer = Record {
        input: vec![StoredItem::new("f1_in", "\"newer\"")],
        ..response("f3")
    };
    store.put(ANN, newer).await.unwrap();
    let found = store.find_items(ANN, &["f1_in"]).await.unwrap();
    assert_eq!(&*found[0].json, "\"newer\"");
    store.delete_item(ANN, "f2", "f2_a").await.unwrap();
    assert_eq!(store.find_items(ANN, &["f2_a"]).await.unwrap(), []);
}

pub(super) async fn refuses_what_cannot_be(store: &dyn Store) {
    let long = "x".repeat(300);
    for id in ["", "nul\0", long.as_str()] {
        let answer = store.put(ANN, response(id)).await;
        assert!(matches!(answer, Err(StoreError::Unstorable(_))), "{id:?}");
        missing(store.head(ANN, id).await, id);
        missing(store.history(ANN, id).await, id);
        missing(store.delete(ANN, id).await, id);
        missing(store.append(ANN, id, vec![item("x")]).await, id);
    }
    store
        .put(ANN, conversation("can", &["can_1"]))
        .await
        .unwrap();
    let bad = vec![item("fine"), StoredItem::new("bad", "\0")];
    let answer = store.append(ANN, "can", bad).await;
    assert!(matches!(answer, Err(StoreError::Unstorable(_))));
    item_missing(store.item(ANN, "can", "nul\0").await, "nul\0");
    item_missing(store.delete_item(ANN, "can", "nul\0").await, "nul\0");
    let after = ListQuery {
        after: Some("nul\0".to_owned()),
        ..ListQuery::default()
    };
    item_missing(store.list(ANN, "can", &after).await, "nul\0");
    assert_eq!(store.history(ANN, "can").await.unwrap().items.len(), 1);
}
