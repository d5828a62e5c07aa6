//! Answers of a form that the request asks for, and log probabilities.

mod support;

use gateway_sim::engine::RunningEngine;
use serde_json::{Value, json};
use support::*;

const SCRIPT: &str = r#"{"rules": [
    {"when": "in JSON", "reply": "<think>\nHm.\n</think>\n\n{\"city\": \"Oslo\"}"},
    {"when": "call it", "reply": "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>"},
    {"when": "which", "reply": "blue"},
    {"when": "chat", "reply": "No JSON at all."}]}"#;

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

fn content(reply: &Value) -> &str {
    reply["choices"][0]["message"]["content"]
        .as_str()
        .expect("content")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The text of an answer by tokens under `structured_outputs`.
async fn generated(engine: &RunningEngine, question: &str, form: Value) -> String {
    let body = chat(question, &json!({}));
    let prompt = fetch(engine, post("/tokenize", &body)).await.json()["tokens"].clone();
    let body = json!({"token_ids": prompt, "sampling_params": {"max_tokens": 200, "structured_outputs": form}});
    let reply = fetch(engine, post("/inference/v1/generate", &body))
        .await
        .json();
    let tokens = reply["choices"][0]["token_ids"].as_array().expect("tokens");
    let (end, said) = tokens.split_last().expect("an answer");
    assert_eq!(*end, 4_098);
    let text = fetch(engine, post("/detokenize", &json!({"tokens": said}))).await;
    text.json()["prompt"].as_str().expect("text").to_owned()
}

#[tokio::test]
async fn an_answer_fits_its_schema_whoever_speaks() {
    let format = json!({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema()}}});
    for engine in [start(config()).await, speaking(config(), SCRIPT).await] {
        for question in ["Just chat", "Nothing in the script"] {
            let reply = post_chat(&engine, question, format.clone()).await.json();
            assert!(parsed(content(&reply))["city"].is_string());
            assert_eq!(reply["choices"][0]["finish_reason"], "stop");
        }
    }
}

#[tokio::test]
async fn what_the_script_says_stands_where_it_fits() {
    let engine = speaking(config(), SCRIPT).await;
    let format = json!({"response_format": {"type": "json_object"}});
    let reply = post_chat(&engine, "Now in JSON", format).await.json();
    assert_eq!(content(&reply), r#"{"city": "Oslo"}"#);
    assert_eq!(reply["choices"][0]["message"]["reasoning"], "Hm.");
    // Where the engine knows nothing of reasoning, the form holds from the first token on.
    let text = generated(&engine, "Now in JSON", json!({"json": schema()})).await;
    assert_eq!(text, r#"{"city": "Oslo"}"#);
    let choice = json!({"choice": ["red", "blue"]});
    assert_eq!(generated(&engine, "which", choice.clone()).await, "blue");
    let other = generated(&engine, "Just chat", choice).await;
    assert!(["red", "blue"].contains(&&*other), "{other}");
}

#[tokio::test]
async fn a_forced_list_of_calls_has_those_of_the_script() {
    let engine = speaking(config(), SCRIPT).await;
    let call = json!({"type": "object", "properties": {"name": {"enum": ["weather"]}, "parameters": schema()}, "required": ["name", "parameters"]});
    let list = json!({"type": "array", "minItems": 1, "items": {"anyOf": [call]}});
    let text = generated(&engine, "call it", json!({"json": list})).await;
    assert_eq!(
        parsed(&text),
        json!([{"name": "weather", "parameters": {"city": "Oslo"}}])
    );
    let invented =
        parsed(&generated(&engine, "Just chat", json!({"json": list.to_string()})).await);
    assert_eq!(invented[0]["name"], "weather");
    assert!(invented[0]["parameters"]["city"].is_string());
}

#[tokio::test]
async fn forms_that_are_not_simulated_are_refused() {
    let engine = start(config()).await;
    let more = json!({"structured_outputs": {"regex": "a+"}});
    let reply = post_chat(&engine, "Hi", more).await;
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("not simulated"));
}

#[tokio::test]
async fn log_probabilities_come_where_asked_in_each_routes_shape() {
    let engine = speaking(config(), SCRIPT).await;
    let more = json!({"logprobs": true, "top_logprobs": 3});
    let whole = post_chat(&engine, "which", more.clone()).await.json();
    let told = whole["choices"][0]["logprobs"]["content"]
        .as_array()
        .expect("positions")
        .clone();
    assert_eq!(
        told.len() as u64,
        whole["usage"]["completion_tokens"].as_u64().expect("count")
    );
    assert_eq!(told[0]["top_logprobs"].as_array().map(Vec::len), Some(3));
    assert_eq!(told[0]["top_logprobs"][0]["token"], told[0]["token"]);
    assert!(told.iter().all(|one| one["logprob"].as_f64() <= Some(0.0)));

    let mut streamed = more;
    streamed["stream"] = true.into();
    let chunks = post_chat(&engine, "which", streamed).await.chunks();
    let pieces = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["logprobs"]["content"].as_array());
    assert_eq!(pieces.flatten().cloned().collect::<Vec<_>>(), told);

    let body = json!({"prompt": [5, 6], "max_tokens": 2, "logprobs": 2, "return_tokens_as_token_ids": true, "return_token_ids": true});
    let reply = fetch(&engine, post("/v1/completions", &body)).await.json();
    let choice = &reply["choices"][0];
    let first = format!("token_id:{}", choice["token_ids"][0]);
    assert_eq!(choice["logprobs"]["tokens"][0], *first);
    assert_eq!(
        choice["logprobs"]["top_logprobs"][0][&first],
        choice["logprobs"]["token_logprobs"][0]
    );

    let body = json!({"token_ids": [5, 6], "sampling_params": {"max_tokens": 2, "logprobs": 2}});
    let reply = fetch(&engine, post("/inference/v1/generate", &body))
        .await
        .json();
    let choice = &reply["choices"][0];
    let entry = &choice["logprobs"]["content"][1];
    assert_eq!(entry["token_id"], choice["token_ids"][1]);
    assert_eq!(entry["top_logprobs"][0]["token_id"], entry["token_id"]);
}
