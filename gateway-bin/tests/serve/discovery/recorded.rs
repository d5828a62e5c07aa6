//! The answers of an API server in `testdata/kubernetes`.

use std::{fs, path::PathBuf};

use k8s_openapi::{
    List,
    api::{core::v1::Pod, discovery::v1::EndpointSlice},
    apimachinery::pkg::apis::meta::v1::Status,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Where engines listen in the answers.
const HOSTS: &str = "10.244.1.";
const PORT: &str = ":8000";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/kubernetes")
}

fn text(file: &str) -> String {
    fs::read_to_string(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// An answer whose engines listen at `port` of 127.0.0.N.
pub(super) fn answer(file: &str, port: u16) -> String {
    let text = text(file).replace(HOSTS, "127.0.0.");
    text.replace(PORT, &format!(":{port}"))
}

/// The lines of a watch, likewise.
pub(super) fn events(file: &str, port: u16) -> Vec<String> {
    let answer = answer(file, port);
    answer.lines().map(|line| format!("{line}\n")).collect()
}

/// Whether all of `object` is in `written`, but for members that are null, which say nothing.
fn holds(written: &Value, object: &Value) -> bool {
    match (written, object) {
        (_, Value::Null) => true,
        (Value::Object(written), Value::Object(members)) => members
            .iter()
            .all(|(key, value)| holds(written.get(key).unwrap_or(&Value::Null), value)),
        (Value::Array(written), Value::Array(items)) => {
            let mut pairs = written.iter().zip(items);
            written.len() == items.len() && pairs.all(|(written, item)| holds(written, item))
        }
        (written, object) => written == object,
    }
}

/// Reads `object` as the API's schema has it, and finds all of it in what that writes again.
fn check<T: Serialize + DeserializeOwned>(object: &Value) {
    let read: T =
        serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{error}: {object}"));
    let written = serde_json::to_value(read).expect("plain data");
    assert!(holds(&written, object), "{written}\nfor\n{object}");
}

fn check_object(object: &Value) {
    match object["kind"].as_str().expect("a kind") {
        "Pod" => check::<Pod>(object),
        "PodList" => check::<List<Pod>>(object),
        "EndpointSlice" => check::<EndpointSlice>(object),
        "EndpointSliceList" => check::<List<EndpointSlice>>(object),
        "Status" => check::<Status>(object),
        other => panic!("{other}"),
    }
}

#[test]
fn all_answers_are_of_the_apis_schema() {
    let mut checked = 0;
    for kind in ["pods", "slices"] {
        for file in fs::read_dir(folder().join(kind)).expect("a folder") {
            let file = file.expect("an entry").file_name();
            let file = format!("{kind}/{}", file.to_str().expect("text"));
            for line in text(&file).lines() {
                let value: Value = serde_json::from_str(line).expect("json");
                let is_bookmark = value["type"] == json!("BOOKMARK");
                match value.get("object") {
                    // Its object has a version and else nothing that the schema needs.
                    Some(object) if is_bookmark => {
                        assert!(object["metadata"]["resourceVersion"].is_string());
                    }
                    Some(object) => check_object(object),
                    None => check_object(&value),
                }
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 22, "all of them");
}
