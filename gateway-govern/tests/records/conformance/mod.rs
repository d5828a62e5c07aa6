//! What every store must do.

mod bounds;
mod contents;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use bounds::{lets_go_in_batches, tight};

use std::sync::Arc;

use gateway_govern::records::{
    Caller, Head, Limits, Record, Status, Store, StoreError, StoredItem,
};

pub(crate) const NOW: i64 = 1_700_000_000;
pub(crate) const ANN: Caller<'static> = Caller {
    owner: "ann",
    now: NOW,
};
const BOB: Caller<'static> = Caller {
    owner: "bob",
    now: NOW,
};

/// All checks, against the stores that `make` makes.
pub(crate) async fn all(make: impl AsyncFn(Limits) -> Box<dyn Store>) {
    let limits = Limits {
        lifetime_seconds: 1600,
        ..Limits::memory()
    };
    let shared: Arc<dyn Store> = make(limits).await.into();
    contents::keeps_and_deletes(&*shared).await;
    contents::keeps_callers_apart(&*shared).await;
    contents::keeps_any_text(&*shared).await;
    contents::an_end_is_the_end(&*shared).await;
    contents::one_end_wins(&shared).await;
    contents::lists_in_pages(&*shared).await;
    contents::changes_conversations(&*shared).await;
    contents::parallel_appends_lose_nothing(&shared).await;
    contents::tells_histories(&*shared).await;
    contents::finds_items(&*shared).await;
    contents::refuses_what_cannot_be(&*shared).await;
    bounds::use_prolongs(&*make(limits).await).await;
    bounds::counts_what_it_holds(&*make(limits).await).await;
    bounds::lets_go_the_longest_unused(make).await;
}

pub(crate) fn item(id: &str) -> StoredItem {
    StoredItem::new(id, &format!(r#"{{"id":"{id}","text":"žluťoučký \u0000"}}"#))
}

pub(crate) fn response(id: &str) -> Record {
    let mut record = Record::new(Head::response(id, NOW, Status::Completed, r#"{"a":1}"#));
    record.input = vec![item(&format!("{id}_in"))];
    record.output = vec![item(&format!("{id}_out"))];
    record
}

pub(crate) fn continuing(id: &str, previous: &str) -> Record {
    let mut record = response(id);
    record.head.previous = Some(previous.to_owned());
    record
}

pub(crate) fn conversation(id: &str, items: &[&str]) -> Record {
    let mut record = Record::new(Head::conversation(id, NOW, "{}"));
    record.input = items.iter().map(|id| item(id)).collect();
    record
}

pub(crate) fn ids(items: &[StoredItem]) -> Vec<&str> {
    items.iter().map(|item| &*item.id).collect()
}

fn later(seconds: i64) -> Caller<'static> {
    Caller {
        now: NOW + seconds,
        ..ANN
    }
}

#[track_caller]
fn missing<T: std::fmt::Debug>(answer: Result<T, StoreError>, wanted: &str) {
    match answer {
        Err(StoreError::NotFound { id }) => assert_eq!(id, wanted),
        other => panic!("{wanted} should be missing: {other:?}"),
    }
}

#[track_caller]
fn item_missing<T: std::fmt::Debug>(answer: Result<T, StoreError>, wanted: &str) {
    match answer {
        Err(StoreError::ItemNotFound { item, .. }) => assert_eq!(item, wanted),
        other => panic!("{wanted} should be missing: {other:?}"),
    }
}
