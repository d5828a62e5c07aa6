//! Streams as a whole.

use serde_json::{Value, json};

use crate::{
    events::check,
    rig::{Rig, text, weather_tool},
};

fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn text_comes_in_the_order_of_the_specification() {
    let rig = Rig::start().await;
    let events = rig.stream(json!({"input": "Count"})).await;
    check(&events);
    let mut kinds = kinds(&events);
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let last = &events[events.len() - 1]["response"];
    assert_eq!(text(last), "Hello there, friend.");
    assert_eq!(last["status"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_streams_its_arguments() {
    let rig = Rig::start().await;
    let events = rig
        .stream(json!({"input": "How is the weather?", "tools": [weather_tool()]}))
        .await;
    check(&events);
    let kinds = kinds(&events);
    for kind in [
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
    ] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    for kind in ["response.output_item.added", "response.output_item.done"] {
        let found = events
            .iter()
            .find(|event| event["type"] == kind)
            .expect(kind);
        assert_eq!(found["item"]["type"], "function_call");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reasoning_streams_before_text() {
    let rig = Rig::start().await;
    let events = rig.stream(json!({"input": "Think"})).await;
    check(&events);
    let kinds = kinds(&events);
    let at = |kind: &str| kinds.iter().position(|one| *one == kind).expect(kind);
    assert!(
        at("response.reasoning_text.done") < at("response.output_text.delta"),
        "{kinds:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_and_a_whole_response_say_the_same() {
    let rig = Rig::start().await;
    for input in ["Count", "Think", "How is the weather?"] {
        let body = json!({"input": input, "tools": [weather_tool()], "store": false});
        let events = rig.stream(body.clone()).await;
        let (streamed, whole) = (
            &events[events.len() - 1]["response"],
            rig.respond(body).await,
        );
        assert_eq!(shape(streamed), shape(&whole), "{input}");
    }
}

/// A response without what differs each time.
fn shape(response: &Value) -> Value {
    let mut shape = response.clone();
    for key in ["id", "created_at", "completed_at", "usage"] {
        shape[key] = Value::Null;
    }
    for item in shape["output"].as_array_mut().expect("a list") {
        item["id"] = Value::Null;
        item["call_id"] = Value::Null;
    }
    shape
}
