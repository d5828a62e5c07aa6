//! The response object.

use serde_json::{Value, json};

use crate::rig::{Rig, text, weather_tool};

/// Every member that the specification requires, whatever its value.
const REQUIRED: [&str; 31] = [
    "id",
    "object",
    "created_at",
    "completed_at",
    "status",
    "incomplete_details",
    "model",
    "previous_response_id",
    "instructions",
    "output",
    "error",
    "tools",
    "tool_choice",
    "truncation",
    "parallel_tool_calls",
    "text",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "temperature",
    "reasoning",
    "usage",
    "max_output_tokens",
    "max_tool_calls",
    "store",
    "background",
    "service_tier",
    "metadata",
    "safety_identifier",
    "prompt_cache_key",
];

fn assert_whole(response: &Value) {
    for key in REQUIRED {
        assert!(response.get(key).is_some(), "no '{key}' in {response}");
    }
    assert_eq!(response["object"], "response");
    assert!(
        response["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("resp_")),
        "{response}"
    );
    for key in [
        "temperature",
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "created_at",
    ] {
        assert!(
            response[key].is_number(),
            "'{key}' is a number in {response}"
        );
    }
    for item in response["output"].as_array().expect("a list") {
        for key in ["id", "type", "status"] {
            assert!(item[key].is_string(), "no '{key}' in {item}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_response_has_every_member() {
    let rig = Rig::start().await;
    let response = rig.respond(json!({"input": "Hi"})).await;
    assert_whole(&response);
    assert_eq!(response["status"], "completed");
    assert!(response["completed_at"].as_u64() >= response["created_at"].as_u64());
    assert_eq!(text(&response), "Hello there, friend.");
    let usage = &response["usage"];
    let count = |name: &str| usage[name].as_u64().expect("a count");
    assert_eq!(
        count("total_tokens"),
        count("input_tokens") + count("output_tokens")
    );
    assert!(count("output_tokens") > 3 && usage["output_tokens_details"]["reasoning_tokens"] == 0);
    for key in [
        "error",
        "incomplete_details",
        "previous_response_id",
        "instructions",
    ] {
        assert!(response[key].is_null(), "{key}: {response}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_is_told_back() {
    let rig = Rig::start().await;
    let tool = weather_tool();
    let response = rig
        .respond(json!({
            "input": "Hi", "instructions": "Be kind.", "tools": [tool], "temperature": 0.5,
            "metadata": {"a": "b"}, "max_output_tokens": 64, "truncation": "auto",
        }))
        .await;
    for key in ["name", "description", "strict", "parameters"] {
        assert_eq!(response["tools"][0][key], tool[key], "{key}");
    }
    let told = |key: &str| response[key].clone();
    assert_eq!(told("instructions"), "Be kind.");
    assert_eq!(told("metadata"), json!({"a": "b"}));
    assert_eq!(told("max_output_tokens"), 64);
    assert_eq!(
        (told("temperature"), told("truncation")),
        (json!(0.5), json!("auto"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_cut_is_incomplete() {
    let rig = Rig::start().await;
    let response = rig
        .respond(json!({"input": "Tell a long story", "max_output_tokens": 8}))
        .await;
    assert_whole(&response);
    assert_eq!(response["status"], "incomplete");
    assert_eq!(
        response["incomplete_details"]["reason"],
        "max_output_tokens"
    );
    assert_eq!(response["output"][0]["status"], "incomplete");
    assert!(response["completed_at"].is_null());
}
