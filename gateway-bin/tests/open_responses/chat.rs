//! What may come in, and what the model makes of it.

use serde_json::{Value, json};

use crate::rig::{Rig, text, weather_tool};

fn message(role: &str, text: &str) -> Value {
    json!({"type": "message", "role": role, "content": text})
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_every_role_are_taken() {
    let rig = Rig::start().await;
    let input = [
        message("system", "Be brief."),
        message("user", "Say hello."),
    ];
    assert_eq!(
        text(&rig.respond(json!({"input": input})).await),
        "Hello there, friend."
    );
    let input = [
        message("user", "My name is Alice."),
        message("assistant", "Hello Alice!"),
        message("user", "What is my name?"),
    ];
    assert_eq!(
        text(&rig.respond(json!({"input": input})).await),
        "You are Alice."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_is_called_and_its_output_understood() {
    let rig = Rig::start().await;
    let tools = [weather_tool()];
    let response = rig
        .respond(json!({"input": "How is the weather?", "tools": tools}))
        .await;
    let call = &response["output"][0];
    assert_eq!(
        (call["type"].as_str(), call["name"].as_str()),
        (Some("function_call"), Some("get_weather"))
    );
    let arguments: Value =
        serde_json::from_str(call["arguments"].as_str().expect("text")).expect("JSON");
    assert_eq!(arguments, json!({"location": "Oslo"}));
    let output =
        json!({"type": "function_call_output", "call_id": call["call_id"], "output": "64 degrees"});
    let input = [message("user", "How is the weather?"), call.clone(), output];
    let response = rig.respond(json!({"input": input, "tools": tools})).await;
    assert_eq!(text(&response), "The tool says: 64 degrees.");
}

#[tokio::test(flavor = "multi_thread")]
async fn reasoning_comes_as_an_item_and_goes_back_in() {
    let rig = Rig::start().await;
    let include = ["reasoning.encrypted_content"];
    let first = rig
        .respond(json!({"input": "Think", "include": include, "store": false}))
        .await;
    let reasoning = &first["output"][0];
    assert_eq!(reasoning["type"], "reasoning");
    assert_eq!(
        reasoning["content"][0]["text"].as_str().map(str::trim),
        Some("Hm, hm.")
    );
    assert!(reasoning["encrypted_content"].is_string(), "{reasoning}");
    assert_eq!(reasoning["summary"], json!([]));
    assert!(first["usage"]["output_tokens_details"]["reasoning_tokens"].as_u64() > Some(2));
    let input = [
        message("user", "Think"),
        reasoning.clone(),
        first["output"][1].clone(),
        message("user", "Hi"),
    ];
    rig.respond(json!({"input": input, "store": false})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_kept() {
    let rig = Rig::start().await;
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
        "additionalProperties": false});
    let format = json!({"type": "json_schema", "name": "city", "strict": true, "schema": schema});
    let response = rig
        .respond(json!({"input": "Give JSON", "text": {"format": format}}))
        .await;
    let said: Value = serde_json::from_str(&text(&response)).expect("JSON");
    assert_eq!(said, json!({"city": "Oslo"}));
    assert_eq!(response["text"]["format"], format);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_never_dropped_in_silence() {
    let rig = Rig::start().await;
    let image = json!({"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="});
    let input = json!([{"type": "message", "role": "user", "content": [image]}]);
    let (status, code, _) = rig.refused(json!({"input": input})).await;
    assert_eq!((status, code.as_str()), (400, "unsupported_media"));
    assert_eq!(rig.engine.stats().requests, 0, "no engine was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn engines_that_speak_chat_alone_do_as_well() {
    let rig = Rig::with_model("pass_through: []").await;
    let response = rig.respond(json!({"input": "Hi"})).await;
    assert_eq!(text(&response), "Hello there, friend.");
    let input = json!({"previous_response_id": response["id"], "input": "How is the weather?",
        "tools": [weather_tool()]});
    let response = rig.respond(input).await;
    assert_eq!(response["output"][0]["type"], "function_call", "{response}");
}
