//! The HTTP surface: replies, streams, errors.

mod support;

use gateway_sim::engine::SimConfig;
use serde_json::{Value, json};
use support::*;

/// The text of a streamed chat.
fn streamed_text(chunks: &[Value]) -> String {
    chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect()
}

#[tokio::test]
async fn a_stream_says_what_the_whole_reply_says_and_so_does_another_engine() {
    let (one, other) = (start(config()).await, start(config()).await);
    let usage = json!({"stream": true, "stream_options": {"include_usage": true}});
    let whole = post_chat(&one, "Tell me of the sea.", json!({}))
        .await
        .json();
    let stream = post_chat(&other, "Tell me of the sea.", usage).await;
    assert_eq!(
        stream.headers["content-type"],
        "text/event-stream; charset=utf-8"
    );
    let chunks = stream.chunks();
    assert_eq!(
        whole["choices"][0]["message"]["content"],
        streamed_text(&chunks).as_str()
    );
    assert_eq!(whole["choices"][0]["finish_reason"], "stop");
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let [.., last, account] = &chunks[..] else {
        panic!("at least two chunks")
    };
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!(account["choices"], json!([]));
    assert_eq!(account["usage"], whole["usage"]);
    // The role's chunk, one for each token, the account.
    assert_eq!(
        chunks.len() as u64,
        whole["usage"]["completion_tokens"]
            .as_u64()
            .expect("a count")
            + 2
    );
}

#[tokio::test]
async fn usage_counts_cached_blocks_and_repeats_where_asked() {
    let engine = start(config()).await;
    let long = "The river runs to the sea. ".repeat(40);
    let cached = |reply: &Value| reply["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64();
    let first = post_chat(&engine, &long, json!({"max_tokens": 2}))
        .await
        .json();
    assert_eq!(cached(&first), Some(0));
    let prompt = first["usage"]["prompt_tokens"].as_u64().expect("a count");
    let options = json!({"include_usage": true, "continuous_usage_stats": true});
    let chunks = post_chat(
        &engine,
        &long,
        json!({"max_tokens": 3, "stream": true, "stream_options": options}),
    )
    .await
    .chunks();
    assert_eq!(
        cached(chunks.last().expect("the account")),
        Some((prompt - 1) / 16 * 16)
    );
    let completions: Vec<_> = chunks
        .iter()
        .map(|chunk| chunk["usage"]["completion_tokens"].clone())
        .collect();
    assert_eq!(completions, [0, 1, 2, 3, 3]);
    let salted = post_chat(
        &engine,
        &long,
        json!({"max_tokens": 2, "cache_salt": "other"}),
    )
    .await
    .json();
    assert_eq!(cached(&salted), Some(0));
}

#[tokio::test]
async fn completions_take_text_lists_and_token_ids() {
    let engine = start(config()).await;
    let complete = async |more: Value| {
        let mut body = json!({"model": "demo", "return_token_ids": true, "temperature": 0});
        body.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        fetch(&engine, post("/v1/completions", &body)).await
    };
    let text = complete(json!({"prompt": "The quick brown fox"}))
        .await
        .json();
    let choice = &text["choices"][0];
    assert_eq!(
        choice["token_ids"].as_array().map(Vec::len),
        Some(16),
        "vLLM's default length"
    );
    assert_eq!(choice["finish_reason"], "length");

    let tokenized = fetch(
        &engine,
        post("/tokenize", &json!({"prompt": "The quick brown fox"})),
    )
    .await
    .json();
    assert_eq!(choice["prompt_token_ids"], tokenized["tokens"]);
    let ids = complete(json!({"prompt": tokenized["tokens"]}))
        .await
        .json();
    assert_eq!(ids["choices"][0]["text"], choice["text"]);
    let spoken = fetch(
        &engine,
        post("/detokenize", &json!({"tokens": choice["token_ids"]})),
    )
    .await
    .json();
    assert_eq!(spoken["prompt"], choice["text"]);

    let body =
        json!({"prompt": ["One", "Two"], "n": 2, "max_tokens": 3, "temperature": 0.7, "seed": 7});
    let batch = complete(body.clone()).await.json();
    let texts: Vec<_> = batch["choices"]
        .as_array()
        .expect("choices")
        .iter()
        .map(|c| c["text"].clone())
        .collect();
    assert_eq!(texts.len(), 4);
    assert_ne!(texts[0], texts[1]);
    let mut streamed = vec![String::new(); 4];
    let mut body = body;
    body["stream"] = true.into();
    for chunk in complete(body).await.chunks() {
        let choice = &chunk["choices"][0];
        let index = choice["index"].as_u64().expect("an index");
        streamed[usize::try_from(index).expect("small")]
            .push_str(choice["text"].as_str().expect("text"));
    }
    assert_eq!(
        streamed,
        texts
            .iter()
            .map(|text| text.as_str().expect("text"))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn tokens_go_in_and_come_out() {
    let engine = start(config()).await;
    let body = json!({
        "token_ids": [900, 901, 902], "sampling_params": {"max_tokens": 9, "temperature": 0}, "request_id": "r1",
    });
    let whole = fetch(&engine, post("/inference/v1/generate", &body))
        .await
        .json();
    assert_eq!(whole["request_id"], "generate-tokens-r1");
    let tokens = whole["choices"][0]["token_ids"]
        .as_array()
        .expect("tokens")
        .clone();
    assert_eq!(tokens.len(), 9);
    // The answer continued elsewhere from its first four tokens is the rest of it.
    let mut rest = body.clone();
    let prompt: Vec<Value> = [900, 901, 902]
        .map(Value::from)
        .into_iter()
        .chain(tokens[..4].to_vec())
        .collect();
    rest["token_ids"] = prompt.into();
    rest["sampling_params"]["max_tokens"] = 5.into();
    rest["stream"] = true.into();
    let chunks = fetch(&engine, post("/inference/v1/generate", &rest))
        .await
        .chunks();
    let streamed: Vec<Value> = chunks
        .iter()
        .map(|chunk| chunk["choices"][0]["token_ids"][0].clone())
        .collect();
    assert_eq!(streamed, tokens[4..]);
    assert_eq!(chunks[4]["choices"][0]["finish_reason"], "length");
}

#[tokio::test]
async fn tools_are_called_when_forced_or_asked_for() {
    let engine = start(config()).await;
    let parameters =
        json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let tools = json!([{"type": "function", "function": {"name": "get_weather", "parameters": parameters}}]);
    let named = json!({"type": "function", "function": {"name": "get_weather"}});
    for (text, choice) in [
        ("Hi", json!("required")),
        ("Hi", named),
        ("Please /tool get_weather", json!("auto")),
    ] {
        let more = json!({"tools": tools, "tool_choice": choice});
        let whole = post_chat(&engine, text, more.clone()).await.json();
        let message = &whole["choices"][0]["message"];
        assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
        assert_eq!(message["content"], Value::Null);
        let function = &message["tool_calls"][0]["function"];
        assert_eq!(function["name"], "get_weather");
        let arguments = function["arguments"].as_str().expect("text");
        assert!(serde_json::from_str::<Value>(arguments).expect("JSON")["city"].is_string());

        let mut streamed = more;
        streamed["stream"] = true.into();
        let chunks = post_chat(&engine, text, streamed).await.chunks();
        let calls: Vec<&Value> = chunks
            .iter()
            .map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0])
            .collect();
        let pieces: String = calls
            .iter()
            .filter_map(|call| call["function"]["arguments"].as_str())
            .collect();
        assert_eq!(pieces, arguments);
        assert!(
            calls
                .iter()
                .any(|call| call["function"]["name"] == "get_weather" && call["id"].is_string())
        );
        assert_eq!(
            chunks.last().expect("chunks")["choices"][0]["finish_reason"],
            "tool_calls"
        );
    }
    let plain = post_chat(&engine, "Hi", json!({"tools": tools}))
        .await
        .json();
    assert_eq!(plain["choices"][0]["finish_reason"], "stop");
    let cut = post_chat(
        &engine,
        "Hi",
        json!({"tools": tools, "tool_choice": "required", "max_tokens": 2}),
    )
    .await
    .json();
    assert_eq!(cut["choices"][0]["finish_reason"], "length");
    let raw = cut["choices"][0]["message"]["content"]
        .as_str()
        .expect("raw text");
    assert!(raw.starts_with("<tool_call>"), "{raw}");
}

#[tokio::test]
async fn the_metrics_page_has_vllms_names() {
    let engine = start(SimConfig {
        adapters: vec!["tuned".to_owned()],
        ..config()
    })
    .await;
    let long = "The river runs to the sea. ".repeat(40);
    for _ in 0..2 {
        post_chat(&engine, &long, json!({"max_tokens": 4, "ignore_eos": true})).await;
    }
    let page = fetch(&engine, get("/metrics")).await;
    assert_eq!(
        page.headers["content-type"],
        "text/plain; version=1.0.0; charset=utf-8"
    );
    let page = page.text();
    let value = |name: &str| {
        let line = page
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name}"));
        line.rsplit(' ')
            .next()
            .and_then(|value| value.parse::<f64>().ok())
            .expect("a number")
    };
    assert_eq!(value("vllm:generation_tokens_total{"), 8.0);
    assert_eq!(value("vllm:num_requests_running{"), 0.0);
    assert!(value("vllm:prefix_cache_hits_total{") > 100.0);
    assert_eq!(value("vllm:time_to_first_token_seconds_count{"), 2.0);
    assert_eq!(value("vllm:inter_token_latency_seconds_count{"), 6.0);
    assert_eq!(
        value("vllm:request_success_total{engine=\"0\",finished_reason=\"length\""),
        2.0
    );
    assert!(page.contains("block_size=\"16\"") && page.contains("num_gpu_blocks=\"27375\""));

    let models = fetch(&engine, get("/v1/models")).await.json();
    assert_eq!(models["data"][0]["max_model_len"], 4_096);
    assert_eq!(models["data"][1]["parent"], "demo");
    assert_eq!(
        fetch(&engine, get("/version")).await.json(),
        json!({"version": "0.32.0"})
    );
    assert_eq!(
        fetch(&engine, get("/kv_event_sources")).await.json(),
        json!({})
    );
    assert_eq!(
        fetch(&engine, get("/sim/stats")).await.json()["requests"],
        2
    );
}
