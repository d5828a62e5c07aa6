//! An engine that speaks a real model's tokens by a script.

mod support;

use std::path::Path;

use gateway_sim::engine::RunningEngine;
use gateway_sim::text::{ModelVoice, Script, VoiceError};
use serde_json::{Value, json};
use support::*;

const SCRIPT: &str = r#"{"rules": [
    {"when": "Weather in (\\w+)", "unless": "<tool_response>",
     "reply": "<think>\nI look it up.\n</think>\n\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"$1\"}}\n</tool_call>"},
    {"when": "<tool_response>\\n(.*)\\n</tool_response>", "reply": "It says: $1."},
    {"when": "Count", "reply": "One two three four five six."}]}"#;

const TOOL_CALL: u64 = 4_099;
const TOOL_CALL_END: u64 = 4_100;
const THINK: u64 = 4_103;
const END: u64 = 4_098;

fn tools() -> Value {
    let parameters =
        json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    json!([{"type": "function", "function": {"name": "weather", "parameters": parameters}}])
}

/// The tokens of a chat of one user turn, as the engine's own template has them.
async fn chat_tokens(engine: &RunningEngine, text: &str) -> Vec<Value> {
    let body = chat(text, &json!({}));
    let reply = fetch(engine, post("/tokenize", &body)).await.json();
    reply["tokens"].as_array().expect("tokens").clone()
}

async fn generate(engine: &RunningEngine, prompt: &[Value], max_tokens: u64) -> Vec<Value> {
    let body = json!({"token_ids": prompt, "sampling_params": {"max_tokens": max_tokens}});
    let reply = fetch(engine, post("/inference/v1/generate", &body)).await;
    let tokens = &reply.json()["choices"][0]["token_ids"];
    tokens.as_array().expect("tokens").clone()
}

async fn text_of(engine: &RunningEngine, tokens: &[Value]) -> String {
    let reply = fetch(engine, post("/detokenize", &json!({"tokens": tokens}))).await;
    reply.json()["prompt"].as_str().expect("text").to_owned()
}

#[tokio::test]
async fn what_the_script_says_comes_as_the_models_tokens() {
    let engine = speaking(config(), SCRIPT).await;
    let prompt = chat_tokens(&engine, "Weather in Oslo?").await;
    let tokens = generate(&engine, &prompt, 100).await;
    assert_eq!(tokens[0], THINK);
    let calls = [TOOL_CALL, TOOL_CALL_END, END];
    for special in calls {
        let count = tokens.iter().filter(|token| **token == special).count();
        assert_eq!(count, 1, "{special} in {tokens:?}");
    }
    let text = text_of(&engine, &tokens).await;
    assert!(text.contains(r#"{"city": "Oslo"}"#), "{text}");

    let body =
        json!({"model": "demo", "prompt": prompt, "max_tokens": 100, "return_token_ids": true});
    let completion = fetch(&engine, post("/v1/completions", &body)).await.json();
    assert_eq!(completion["choices"][0]["token_ids"], json!(tokens));
}

#[tokio::test]
async fn an_answer_goes_on_wherever_it_was_cut() {
    let engine = speaking(config(), SCRIPT).await;
    for question in ["Count", "Tell me of the sea"] {
        let prompt = chat_tokens(&engine, question).await;
        let whole = generate(&engine, &prompt, 60).await;
        for cut in [1, whole.len() / 2, whole.len() - 1] {
            let longer = [&prompt[..], &whole[..cut]].concat();
            let rest = generate(&engine, &longer, 60 - cut as u64).await;
            assert_eq!(rest, whole[cut..], "{question} cut at {cut}");
        }
    }
}

#[tokio::test]
async fn an_answer_skips_reasoning_that_the_prompt_closed() {
    let engine = speaking(config(), SCRIPT).await;
    let without = json!({"chat_template_kwargs": {"enable_thinking": false}, "tools": tools()});
    let reply = post_chat(&engine, "Weather in Oslo?", without).await.json();
    let message = &reply["choices"][0]["message"];
    assert_eq!(message["reasoning"], Value::Null);
    assert_eq!(message["tool_calls"][0]["function"]["name"], "weather");
}

#[tokio::test]
async fn a_chat_is_split_into_reasoning_and_calls_streamed_or_not() {
    let engine = speaking(config(), SCRIPT).await;
    let more = json!({"tools": tools()});
    let whole = post_chat(&engine, "Weather in Oslo?", more.clone())
        .await
        .json();
    let (choice, message) = (&whole["choices"][0], &whole["choices"][0]["message"]);
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(message["content"], Value::Null);
    assert_eq!(message["reasoning"], "I look it up.");
    let call = &message["tool_calls"][0];
    assert_eq!(
        call["function"],
        json!({"name": "weather", "arguments": r#"{"city": "Oslo"}"#})
    );

    let mut streamed = more;
    streamed["stream"] = true.into();
    let chunks = post_chat(&engine, "Weather in Oslo?", streamed)
        .await
        .chunks();
    let deltas: Vec<&Value> = chunks
        .iter()
        .map(|chunk| &chunk["choices"][0]["delta"])
        .collect();
    let reasoning: String = deltas
        .iter()
        .filter_map(|delta| delta["reasoning"].as_str())
        .collect();
    assert_eq!(reasoning, "I look it up.");
    let calls: Vec<&Value> = deltas
        .iter()
        .map(|delta| &delta["tool_calls"][0])
        .filter(|call| !call.is_null())
        .collect();
    assert_eq!(calls[0]["function"]["name"], "weather");
    assert!(calls[0]["id"].is_string() && calls.len() > 2, "{calls:?}");
    let arguments: String = calls
        .iter()
        .filter_map(|call| call["function"]["arguments"].as_str())
        .collect();
    assert_eq!(arguments, r#"{"city": "Oslo"}"#);
    let last = chunks.last().expect("chunks");
    assert_eq!(last["choices"][0]["finish_reason"], "tool_calls");
}

#[tokio::test]
async fn a_forced_call_is_made_where_the_script_makes_none() {
    let engine = speaking(config(), SCRIPT).await;
    let forced = json!({"tools": tools(), "tool_choice": "required"});
    let made = post_chat(&engine, "Count", forced.clone()).await.json();
    let call = &made["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["name"], "weather");
    let arguments = call["arguments"].as_str().expect("text");
    assert!(serde_json::from_str::<Value>(arguments).expect("JSON")["city"].is_string());
    let scripted = post_chat(&engine, "Weather in Oslo?", forced).await.json();
    let call = &scripted["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["arguments"], r#"{"city": "Oslo"}"#);
    let refused = json!({"tools": tools(), "tool_choice": "none"});
    let text = post_chat(&engine, "Weather in Oslo?", refused).await.json();
    let content = text["choices"][0]["message"]["content"].as_str();
    assert!(content.is_some_and(|content| content.starts_with("<tool_call>")));
}

#[tokio::test]
async fn results_of_tools_are_heard() {
    let engine = speaking(config(), SCRIPT).await;
    let call =
        json!({"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}});
    let body = json!({"model": "demo", "tools": tools(), "messages": [
        {"role": "user", "content": "Weather in Oslo?"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "rain"},
    ]});
    let reply = fetch(&engine, post("/v1/chat/completions", &body))
        .await
        .json();
    assert_eq!(reply["choices"][0]["message"]["content"], "It says: rain.");
    assert_eq!(reply["choices"][0]["finish_reason"], "stop");
}

#[test]
fn a_folder_without_a_model_says_which_file_is_missing() {
    let error = ModelVoice::load(Path::new("/nowhere"), Script::default()).expect_err("no model");
    assert!(matches!(error, VoiceError::File { .. }));
    assert!(error.to_string().contains("/nowhere/tokenizer.json"));
}
