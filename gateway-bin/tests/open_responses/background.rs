//! Responses that are made in the background.

use std::time::Duration;

use gateway_govern::records::{Caller, Head, Limits, Record, SqliteStore, Status, Store as _};
use serde_json::{Value, json};

use crate::{
    rig::{LONG, Rig, events, text},
    wire::Reply,
};

async fn settled(rig: &Rig, id: &str) -> Value {
    for _ in 0..600 {
        let response = rig.get(&format!("/v1/responses/{id}")).await.json();
        if !matches!(response["status"].as_str(), Some("queued" | "in_progress")) {
            return response;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{id} never ends");
}

fn id(object: &Value) -> String {
    object["id"].as_str().expect("an id").to_owned()
}

fn is_busy(rig: &Rig) -> bool {
    rig.gateway
        .metrics()
        .contains("\ngateway_background_running 1\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_queued_made_and_can_be_continued() {
    let rig = Rig::start().await;
    let queued = rig
        .respond(json!({"input": "My name is Bo.", "background": true}))
        .await;
    assert_eq!(
        (queued["status"].as_str(), queued["background"].as_bool()),
        (Some("queued"), Some(true))
    );
    assert_eq!(queued["output"], json!([]));
    let whole = settled(&rig, &id(&queued)).await;
    assert_eq!(
        (whole["status"].as_str(), &whole["id"]),
        (Some("completed"), &queued["id"])
    );
    assert_eq!(text(&whole), "Hello there, friend.");
    let next = rig
        .respond(json!({"input": "What is my name?", "previous_response_id": id(&whole)}))
        .await;
    assert_eq!(text(&next), "You are Bo.");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_events_can_be_followed_from_any_place() {
    let rig = Rig::start().await;
    let body = json!({"model": "m", "input": "Hi", "background": true, "stream": true});
    let (all, done) = events(&rig.post("/v1/responses", body).await.body);
    assert!(done);
    let kinds: Vec<&str> = all
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    assert_eq!(
        kinds[..3],
        [
            "response.created",
            "response.queued",
            "response.in_progress"
        ]
    );
    assert_eq!(kinds[kinds.len() - 1], "response.completed");
    let path = format!("/v1/responses/{}?stream=true", id(&all[0]["response"]));
    let (again, done) = events(&rig.get(&path).await.body);
    assert!(done && again == all);
    let (rest, done) = events(&rig.get(&format!("{path}&starting_after=3")).await.body);
    assert!(done && rest == all[4..]);
    assert_eq!(
        rig.get(&format!("{path}&starting_after=x")).await.status,
        400
    );
    let plain = rig.respond(json!({"input": "Hi"})).await;
    let refused: Reply = rig
        .get(&format!("/v1/responses/{}?stream=true", id(&plain)))
        .await;
    assert_eq!(
        (refused.status, refused.error().0.as_str()),
        (400, "events_not_held")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_called_off_at_the_engine_too() {
    let rig = Rig::with("", 1.0).await;
    let queued = rig
        .respond(json!({"input": "Tell a long story", "background": true}))
        .await;
    let path = format!("/v1/responses/{}", id(&queued));
    let events_path = format!("{path}?stream=true");
    let follow = rig.get(&events_path);
    let cancel = async {
        while rig.engine.stats().running == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        rig.post(&format!("{path}/cancel"), Value::Null)
            .await
            .json()
    };
    let (followed, cancelled) = tokio::join!(follow, cancel);
    assert_eq!(cancelled["status"], "cancelled");
    assert!(!events(&followed.body).1, "no good end");
    assert_eq!(rig.get(&path).await.json(), cancelled);
    let again = rig
        .post(&format!("{path}/cancel"), Value::Null)
        .await
        .json();
    assert_eq!(again, cancelled, "once is enough");
    while rig.engine.stats().running > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let refused = rig
        .refused(json!({"input": "Hi", "previous_response_id": id(&queued)}))
        .await;
    assert_eq!(refused.1, "previous_response_not_completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_background_responses_are_called_off() {
    let rig = Rig::start().await;
    let response = rig.respond(json!({"input": "Hi"})).await;
    let refused = rig
        .post(
            &format!("/v1/responses/{}/cancel", id(&response)),
            Value::Null,
        )
        .await;
    assert_eq!(
        (refused.status, refused.error().0.as_str()),
        (400, "not_background")
    );
    let refused = rig
        .refused(json!({"input": "Hi", "background": true, "store": false}))
        .await;
    assert_eq!((refused.0, refused.2.as_deref()), (400, Some("background")));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_are_made_at_a_time() {
    let rig = Rig::with("responses: {background: 1}\n", 1.0).await;
    let first = rig
        .respond(json!({"input": "Tell a long story", "background": true}))
        .await;
    assert!(is_busy(&rig));
    let refused = rig
        .refused(json!({"input": "Hi", "background": true}))
        .await;
    assert_eq!((refused.0, refused.1.as_str()), (429, "background_limit"));
    assert!(
        rig.gateway
            .metrics()
            .contains("\ngateway_background_refused_total 1\n")
    );
    rig.post(&format!("/v1/responses/{}/cancel", id(&first)), Value::Null)
        .await;
    while is_busy(&rig) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    rig.respond(json!({"input": "Hi", "background": true}))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_at_the_end_is_noted() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("records.db");
    let store = format!(
        "responses: {{store: sqlite, file: \"{}\"}}\n",
        file.display()
    );
    let rig = Rig::with(&format!("{store}drain: {{deadline: 100ms}}\n"), 1.0).await;
    let queued = rig
        .respond(json!({"input": "Tell a long story", "background": true}))
        .await;
    while rig.engine.stats().running == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let Rig { gateway, engine } = rig;
    gateway.drain();
    tokio::task::spawn_blocking(move || gateway.wait())
        .await
        .expect("no panic");
    drop(engine);
    let rig = Rig::with(&store, 100.0).await;
    let response = rig
        .get(&format!("/v1/responses/{}", id(&queued)))
        .await
        .json();
    assert_eq!(response["status"], "failed");
    assert_eq!(response["error"]["code"], "server_error");
    let said = text(&response);
    assert!(
        said.starts_with(LONG) || LONG.starts_with(&said),
        "what came stays: {said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_to_keep_ends_all_the_same() {
    let rig = Rig::with("responses: {bytes: 20000}\n", 100.0).await;
    let queued = rig
        .respond(json!({"input": "Tell a long story", "background": true}))
        .await;
    let response = settled(&rig, &id(&queued)).await;
    assert_eq!(response["status"], "failed");
    assert_eq!(
        (&response["error"]["code"], &response["output"]),
        (&json!("server_error"), &json!([]))
    );
    assert!(
        rig.gateway
            .metrics()
            .contains("\ngateway_responses_lost_total 1\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_events_cannot_be_held_is_refused_before_it_begins() {
    let rig = Rig::start().await;
    // Each of the first events tells the instructions back.
    let body = json!({"model": "m", "input": "Hi", "background": true, "stream": true,
        "instructions": "x".repeat(5 << 20)});
    let refused = rig.post("/v1/responses", body).await;
    let (code, param) = refused.error();
    assert_eq!((refused.status, code.as_str()), (400, "events_not_held"));
    assert_eq!(param.as_deref(), Some("stream"));
    assert!(!is_busy(&rig));
    let page = rig.gateway.metrics();
    assert!(page.contains("\ngateway_records 0\n"), "{page}");
}

/// Puts what another gateway left behind: a response in the background that was begun `age` seconds ago.
async fn left_behind(file: &std::path::Path, name: &str, age: i64) {
    let store = SqliteStore::open(file, Limits::database()).expect("a store");
    let now = jiff::Timestamp::now().as_second();
    let body = json!({"id": name, "status": "in_progress", "background": true, "output": []});
    let head = Head::response(name, now - age, Status::InProgress, &body.to_string());
    let caller = Caller { owner: "one", now };
    let put = store.put(caller, Record::new(head)).await;
    put.expect("there is room");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broken_gateway_left_behind_has_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("records.db");
    left_behind(&file, "resp_old", 61).await;
    left_behind(&file, "resp_new", 0).await;
    left_behind(&file, "resp_off", 0).await;
    let more = format!(
        "responses: {{store: sqlite, file: \"{}\"}}\ndeadlines: {{total: 10s}}\n",
        file.display()
    );
    let rig = Rig::with(&more, 100.0).await;
    let old = rig.get("/v1/responses/resp_old").await.json();
    assert_eq!(old["status"], "failed", "{old}");
    assert_eq!(old["error"]["code"], "server_error");
    // Another gateway may be making it.
    let new = rig.get("/v1/responses/resp_new").await.json();
    assert_eq!(new["status"], "in_progress", "{new}");
    let off = rig.post("/v1/responses/resp_off/cancel", Value::Null).await;
    assert_eq!(off.json()["status"], "cancelled");
}
