//! Where responses are kept.

use gateway_bin::config::{self, Environment};
use serde_json::json;

use crate::rig::{Rig, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_outlives_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("records.db");
    let store = format!(
        "responses: {{store: sqlite, file: \"{}\"}}\n",
        file.display()
    );
    let rig = Rig::with(&store, 100.0).await;
    let first = rig.respond(json!({"input": "My name is Max."})).await;
    drop(rig);
    let rig = Rig::with(&store, 100.0).await;
    let body = json!({"input": "What is my name?", "previous_response_id": first["id"]});
    assert_eq!(text(&rig.respond(body).await), "You are Max.");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded() {
    let rig = Rig::with("responses: {bytes: 8192}\n", 100.0).await;
    for _ in 0..8 {
        rig.respond(json!({"input": "Hi"})).await;
    }
    let page = rig.gateway.metrics();
    let value = |name: &str| -> u64 {
        let line = page
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")))
            .expect(name);
        line[name.len() + 1..].parse().expect("a number")
    };
    assert!(value("gateway_records_bytes") <= 8_192, "{page}");
    assert!(value("gateway_records_evicted_total") > 0);
    assert_eq!(value("gateway_responses_stored_total"), 8);
    let large = rig
        .respond(json!({"input": "Hello there, friend. ".repeat(500)}))
        .await;
    assert_eq!(
        large["status"], "completed",
        "the answer is given all the same"
    );
    assert!(
        rig.gateway
            .metrics()
            .contains("\ngateway_responses_lost_total 1\n")
    );
}

#[test]
fn a_section_that_contradicts_itself_is_refused() {
    for (section, path) in [
        ("{store: sqlite}", "responses.store"),
        ("{store: postgres}", "responses.store"),
        ("{store: memory, file: a.db}", "responses.file"),
        (
            "{store: sqlite, file: a.db, url: \"postgres://a/b\"}",
            "responses.url",
        ),
        ("{store: postgres, url: \"http://a/b\"}", "responses.url"),
        ("{background: 0}", "responses.background"),
        ("{lifetime: 0s}", "responses.lifetime"),
    ] {
        let text = format!("responses: {section}\n");
        let error = config::read(
            &text,
            std::path::Path::new("test.yaml"),
            &Environment::empty(),
        );
        let error = error.expect_err(section).to_string();
        assert!(error.contains(path), "{section}: {error}");
    }
}
