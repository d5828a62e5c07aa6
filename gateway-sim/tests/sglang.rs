//! The surface of SGLang.

mod support;

use gateway_sim::engine::{FaultKind, FaultSpec, Flavour, SimConfig};
use serde_json::{Value, json};
use support::*;

const SCRIPT: &str =
    r#"{"rules": [{"when": "Say it", "reply": "<think>\nHm.\n</think>\n\nHere it is."}]}"#;

fn sglang() -> SimConfig {
    SimConfig {
        flavour: Flavour::Sglang,
        ..config()
    }
}

#[tokio::test]
async fn every_event_has_all_so_far() {
    let engine = start(sglang()).await;
    let body = json!({"input_ids": [900, 901], "rid": "r1", "stream": true, "return_logprob": true,
        "top_logprobs_num": 2, "sampling_params": {"max_new_tokens": 4, "ignore_eos": true}});
    let chunks = fetch(&engine, post("/generate", &body)).await.chunks();
    assert_eq!(chunks.len(), 4);
    for (at, chunk) in (1..).zip(&chunks) {
        let meta = &chunk["meta_info"];
        assert_eq!(chunk["output_ids"].as_array().map(Vec::len), Some(at));
        assert_eq!(meta["completion_tokens"], at);
        assert_eq!(
            meta["output_token_logprobs"].as_array().map(Vec::len),
            Some(at)
        );
        assert_eq!(
            meta["output_top_logprobs"][at - 1].as_array().map(Vec::len),
            Some(2)
        );
        assert_eq!(
            meta["output_token_logprobs"][at - 1][1],
            chunk["output_ids"][at - 1]
        );
    }
    let last = &chunks[3];
    assert_eq!(last["meta_info"]["id"], "r1");
    assert_eq!(
        last["meta_info"]["finish_reason"],
        json!({"type": "length", "length": 4})
    );
    let mut whole = body;
    whole["stream"] = false.into();
    let reply = fetch(&engine, post("/generate", &whole)).await.json();
    assert_eq!(reply["text"], last["text"]);
    assert_eq!(reply["output_ids"], last["output_ids"]);
}

#[tokio::test]
async fn events_have_only_what_is_new_where_it_is_started_so() {
    let engine = start(SimConfig {
        incremental_streams: true,
        ..sglang()
    })
    .await;
    let mut body = json!({"input_ids": [900, 901], "stream": true, "return_logprob": true,
        "sampling_params": {"max_new_tokens": 4, "ignore_eos": true}});
    let chunks = fetch(&engine, post("/generate", &body)).await.chunks();
    body["stream"] = false.into();
    let whole = fetch(&engine, post("/generate", &body)).await.json();
    let (mut text, mut ids) = (String::new(), Vec::new());
    for (at, chunk) in (1..).zip(&chunks) {
        text.push_str(chunk["text"].as_str().expect("a text"));
        ids.extend(chunk["output_ids"].as_array().expect("ids").clone());
        assert_eq!(chunk["meta_info"]["completion_tokens"], at);
        let logprobs = chunk["meta_info"]["output_token_logprobs"].as_array();
        assert_eq!(logprobs.map(Vec::len), Some(1));
    }
    assert_eq!(
        (json!(text), json!(ids)),
        (whole["text"].clone(), whole["output_ids"].clone())
    );
    let info = fetch(&engine, get("/server_info")).await.json();
    assert_eq!(info["incremental_streaming_output"], true);
    let back = post("/detokenize", &json!({"tokens": whole["output_ids"]}));
    assert_eq!(
        fetch(&engine, back).await.json(),
        json!({"text": whole["text"]})
    );
    assert_eq!(
        fetch(&engine, get("/kv_event_sources")).await.status,
        404,
        "vLLM's alone"
    );
}

#[tokio::test]
async fn texts_stops_and_forms_are_understood() {
    let engine = start(sglang()).await;
    let generate = async |parameters: Value| {
        let body = json!({"text": "The quick brown fox", "sampling_params": parameters});
        fetch(&engine, post("/generate", &body)).await
    };
    let free = generate(json!({"max_new_tokens": 60})).await.json();
    let text = free["text"].as_str().expect("text");
    let stopped = generate(json!({"max_new_tokens": 60, "stop": [text[10..14]]}))
        .await
        .json();
    let end = &stopped["meta_info"]["finish_reason"];
    assert_eq!(*end, json!({"type": "stop", "matched": text[10..14]}));
    let formed = generate(json!({"json_schema": "{\"type\": \"boolean\"}"}))
        .await
        .json();
    assert!(["true", "false"].contains(&formed["text"].as_str().expect("text")));
    for wrong in [json!({"max_tokens": 3}), json!({"regex": "a"})] {
        assert_eq!(generate(wrong).await.status, 400);
    }
    assert_eq!(
        fetch(&engine, post("/generate", &json!({}))).await.status,
        400
    );
}

#[tokio::test]
async fn it_says_of_itself_what_sglang_does() {
    let engine = start(sglang()).await;
    let models = fetch(&engine, get("/v1/models")).await.json();
    assert_eq!(models["data"][0]["owned_by"], "sglang");
    let loads = fetch(&engine, get("/v1/loads")).await.json();
    assert_eq!(loads["loads"][0]["num_running_reqs"], 0);
    let info = fetch(&engine, get("/model_info")).await.json();
    assert_eq!(info["served_model_name"], "demo");
    let page = fetch(&engine, get("/metrics")).await.text();
    assert!(page.contains("sglang:num_queue_reqs{") && !page.contains("vllm:"));
    for path in ["/inference/v1/generate", "/load"] {
        assert_eq!(fetch(&engine, get(path)).await.status, 404, "{path}");
    }
    let refusal = post_chat(&engine, "Hi", json!({"temperature": -1})).await;
    assert_eq!(refusal.json()["object"], "error");
}

#[tokio::test]
async fn chats_name_reasoning_as_sglang_does() {
    let engine = speaking(sglang(), SCRIPT).await;
    let reply = post_chat(&engine, "Say it", json!({})).await.json();
    let message = &reply["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "Hm.");
    assert_eq!(message["content"], "Here it is.");
}

#[tokio::test]
async fn a_token_out_of_the_vocabulary_kills_only_where_ordered() {
    let engine = start(sglang()).await;
    let body = json!({"input_ids": [4_000_000_000_u32]});
    assert_eq!(fetch(&engine, post("/generate", &body)).await.status, 400);
    engine.inject(FaultSpec::new(FaultKind::PoisonToken));
    assert_eq!(
        fetch(&engine, post("/generate", &json!({"input_ids": [1]})))
            .await
            .status,
        200
    );
    assert!(try_fetch(&engine, post("/generate", &body)).await.is_err());
    assert!(!engine.is_up());
}
