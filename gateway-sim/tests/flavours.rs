//! The surfaces of MindIE, TensorRT-LLM, llama.cpp and Text Generation Inference.

mod support;

use gateway_sim::engine::{
    FaultKind, FaultSpec, Flavour, KvEventsConfig, RunningEngine, SimConfig, SimEngine,
    TransferConfig,
};
use serde_json::{Value, json};
use support::*;

async fn engine(flavour: Flavour) -> RunningEngine {
    start(SimConfig {
        flavour,
        ..config()
    })
    .await
}

async fn ask(engine: &RunningEngine, path: &str, body: Value) -> Reply {
    fetch(engine, post(path, &body)).await
}

/// What vLLM answers to a prompt of tokens.
async fn expected(prompt: &[u32], max_tokens: u32) -> (Vec<Value>, String) {
    let engine = engine(Flavour::Vllm).await;
    let body = json!({"prompt": prompt, "max_tokens": max_tokens, "return_token_ids": true, "ignore_eos": true});
    let choice = ask(&engine, "/v1/completions", body).await.json()["choices"][0].clone();
    let ids = choice["token_ids"].as_array().expect("ids").clone();
    (ids, choice["text"].as_str().expect("text").to_owned())
}

/// The data of events that nothing ends but the last of them.
fn events(reply: &Reply, prefix: &str) -> Vec<Value> {
    let text = reply.text();
    assert!(!text.contains("[DONE]"));
    let events = text.split_terminator("\n\n");
    let event = |event: &str| {
        let data = event.strip_prefix(prefix).expect("one data line");
        serde_json::from_str(data).expect("JSON")
    };
    events.map(event).collect()
}

fn ids(events: &[Value], pointer: &str) -> Vec<Value> {
    let lists = events
        .iter()
        .filter_map(|event| event.pointer(pointer)?.as_array());
    lists.flatten().cloned().collect()
}

#[tokio::test]
async fn mindie_takes_tokens_and_gives_tokens() {
    let engine = engine(Flavour::Mindie).await;
    let prompt = [900, 901];
    let (tokens, text) = expected(&prompt, 6).await;
    let body = |stream: bool| {
        json!({"input_id": prompt, "stream": stream, "parameters": {"max_new_tokens": 6, "do_sample": true,
            "details": true}})
    };
    let streamed = events(&ask(&engine, "/infer_token", body(true)).await, "data: ");
    assert_eq!(ids(&streamed, "/token/id"), tokens);
    let last = streamed.last().expect("events");
    assert_eq!(last["generated_text"], text);
    assert_eq!(last["details"]["finish_reason"], "length");
    assert!(streamed[0].get("generated_text").is_none());
    let whole = ask(&engine, "/infer_token", body(false)).await.json();
    assert_eq!(whole["details"]["generated_token_ids"], json!(tokens));
    let status = ask_get(&engine, "/v2/status").await.json();
    assert_eq!(status["service"]["roleStatus"], "RoleReady");
    assert_eq!(status["resource"]["runningRequestNum"], 0);
    assert_eq!(ask_get(&engine, "/v2/health/ready").await.status, 200);
    let page = ask_get(&engine, "/metrics").await.text();
    assert!(page.contains("\ngeneration_tokens_total{model_name=\"demo\"} 12\n"));
    let refused = ask(&engine, "/infer_token", json!({"inputs": "Hi"})).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["error_type"]),
        (422, &json!("validation"))
    );
    assert_eq!(
        post_chat(&engine, "Hi", json!({"max_tokens": 2}))
            .await
            .status,
        200
    );
}

async fn ask_get(engine: &RunningEngine, path: &str) -> Reply {
    fetch(engine, get(path)).await
}

#[tokio::test]
async fn trtllm_gives_ids_in_place_of_text_and_its_metrics_in_json() {
    let engine = engine(Flavour::Trtllm).await;
    let prompt = [900, 901];
    let (tokens, text) = expected(&prompt, 6).await;
    let body = |raw: bool, stream: bool| json!({"prompt": prompt, "max_tokens": 6, "ignore_eos": true, "detokenize": !raw, "stream": stream});
    let raw = ask(&engine, "/v1/completions", body(true, true))
        .await
        .chunks();
    let streamed: Vec<Value> = raw
        .iter()
        .flat_map(|chunk| {
            ids(
                &chunk["choices"].as_array().expect("choices").clone(),
                "/token_ids",
            )
        })
        .collect();
    assert_eq!(streamed, tokens);
    assert_eq!(raw[0]["choices"][0]["text"], "");
    let plain = ask(&engine, "/v1/completions", body(false, false))
        .await
        .json();
    assert_eq!(plain["choices"][0]["text"], text);
    assert_eq!(plain["choices"][0]["token_ids"], Value::Null);
    let iterations = ask_get(&engine, "/metrics").await.json();
    assert_eq!(iterations[0]["kvCacheStats"]["tokensPerBlock"], 16);
    assert_eq!(iterations[0]["numActiveRequests"], 0);
    let page = ask_get(&engine, "/prometheus/metrics").await.text();
    assert!(page.contains(
        "trtllm_generation_tokens_total{model_name=\"demo\",engine_type=\"trtllm\"} 12\n"
    ));
    let refused = ask(
        &engine,
        "/v1/completions",
        json!({"prompt": [1], "temperature": -1}),
    )
    .await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["object"]),
        (400, &json!("error"))
    );
    let models = ask_get(&engine, "/v1/models").await.json();
    assert_eq!(models["data"][0]["owned_by"], "tensorrt_llm");
}

#[tokio::test]
async fn trtllm_keeps_its_kv_events_until_somebody_takes_them() {
    let engine = start(SimConfig {
        flavour: Flavour::Trtllm,
        kv_events: Some(KvEventsConfig::new("demo")),
        ..config()
    })
    .await;
    let take = || async {
        let taken = ask(&engine, "/kv_cache_events", json!({})).await.json();
        taken.as_array().expect("a list").clone()
    };
    let made = take().await;
    assert_eq!(
        (made.len(), &made[0]["data"]["type"]),
        (1, &json!("created"))
    );
    assert_eq!(made[0]["event_id"], 0);
    let prompt: Vec<u32> = (0..40).collect();
    ask(
        &engine,
        "/v1/completions",
        json!({"prompt": prompt, "max_tokens": 1}),
    )
    .await;
    let stored = take().await;
    let data = &stored[0]["data"];
    assert_eq!(
        (&stored[0]["event_id"], &data["type"]),
        (&json!(1), &json!("stored"))
    );
    assert_eq!(data["parent_hash"], Value::Null);
    assert_eq!(data["blocks"].as_array().map(Vec::len), Some(2));
    assert_eq!(data["blocks"][1]["tokens"][3]["token_id"], 19);
    assert!(take().await.is_empty(), "they are taken");
    assert!(engine.kv_events().is_none(), "nothing is published");
}

#[tokio::test]
async fn engines_that_tell_nothing_of_their_caches_have_no_events() {
    for flavour in [Flavour::Mindie, Flavour::Llamacpp, Flavour::Tgi] {
        let refused = SimEngine::start(SimConfig {
            flavour,
            kv_events: Some(KvEventsConfig::new("demo")),
            ..config()
        });
        let error = refused.await.map(drop).expect_err("no such surface");
        assert!(error.to_string().ends_with("has no KV events"), "{error}");
    }
}

#[tokio::test]
async fn trtllm_pairs_hand_over_in_a_string_that_only_engines_read() {
    let engine = async || {
        start(SimConfig {
            flavour: Flavour::Trtllm,
            transfer: Some(TransferConfig {
                lease_ms: 3_600_000_000,
                ..TransferConfig::default()
            }),
            ..config()
        })
        .await
    };
    let (p, d) = (engine().await, engine().await);
    let prompt: Vec<u32> = (900..1_000).collect();
    let (tokens, _) = expected(&prompt, 6).await;
    let asked = json!({"request_type": "context_only", "disagg_request_id": 77});
    let body = |params: &Value| {
        json!({"prompt": prompt, "max_tokens": 6, "ignore_eos": true, "detokenize": false,
            "disaggregated_params": params})
    };
    let reply = ask(&p, "/v1/completions", body(&asked)).await.json();
    let choice = &reply["choices"][0];
    assert_eq!(
        (
            &choice["finish_reason"],
            &reply["usage"]["completion_tokens"]
        ),
        (&json!("length"), &json!(1))
    );
    assert_eq!(reply["prompt_token_ids"], json!(prompt));
    let mut params = choice["disaggregated_params"].clone();
    assert_eq!(params["first_gen_tokens"], json!([tokens[0]]));
    assert_eq!(p.stats().handoffs_held, 1);
    params["request_type"] = "generation_only".into();
    let answer = ask(&d, "/v1/completions", body(&params)).await.json();
    assert_eq!(answer["choices"][0]["token_ids"], json!(tokens));
    assert_eq!((d.stats().pulls, p.stats().handoffs_held), (1, 0));
}

#[tokio::test]
async fn llamacpp_streams_tokens_and_closes_the_connection_it_promised_to_keep() {
    let engine = engine(Flavour::Llamacpp).await;
    let (tokens, text) = expected(&[900, 901], 6).await;
    let body = |stream: bool| {
        json!({"prompt": [900, 901], "n_predict": 6, "ignore_eos": true, "stream": stream, "return_tokens": true,
            "n_probs": 2, "model": "any"})
    };
    let mut connection = Connection::open(engine.addr()).await.expect("a connection");
    let whole = connection
        .fetch(post("/completion", &body(false)))
        .await
        .expect("a reply");
    let whole = whole.json();
    assert_eq!(
        (&whole["tokens"], &whole["content"]),
        (&json!(tokens), &json!(text))
    );
    assert_eq!(
        (&whole["stop_type"], &whole["model"]),
        (&json!("limit"), &json!("demo"))
    );
    let reply = connection
        .fetch(post("/completion", &body(true)))
        .await
        .expect("a reply");
    let events = events(&reply, "data: ");
    assert_eq!(ids(&events, "/tokens"), tokens);
    let last = events.last().expect("events");
    assert_eq!(
        (&last["stop"], &last["tokens_predicted"]),
        (&json!(true), &json!(6))
    );
    assert_eq!(
        events[0]["completion_probabilities"][0]["top_logprobs"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert!(
        connection.fetch(get("/health")).await.is_err(),
        "it is closed"
    );
    // An answer that ends by itself tells no token for its end.
    let ended = json!({"prompt": ["Go", 901], "stream": true});
    let ended = events_of(&engine, ended).await;
    assert_eq!(ended.last().expect("events")["stop_type"], "eos");
    assert_eq!(ended.len(), ids(&ended, "/tokens").len() + 1);
}

async fn events_of(engine: &RunningEngine, body: Value) -> Vec<Value> {
    events(&ask(engine, "/completion", body).await, "data: ")
}

#[tokio::test]
async fn llamacpp_says_of_itself_what_it_says() {
    let engine = engine(Flavour::Llamacpp).await;
    assert_eq!(
        ask_get(&engine, "/health").await.json(),
        json!({"status": "ok"})
    );
    engine.inject(FaultSpec::new(FaultKind::Health503).times(1));
    let loading = ask_get(&engine, "/health").await;
    assert_eq!(
        (loading.status.as_u16(), &loading.json()["error"]["message"]),
        (503, &json!("Loading model"))
    );
    let models = ask_get(&engine, "/v1/models").await.json();
    assert_eq!(
        (
            &models["data"][0]["owned_by"],
            &models["data"][0]["meta"]["n_ctx"]
        ),
        (&json!("llamacpp"), &json!(4_096))
    );
    assert_eq!(ask_get(&engine, "/props").await.json()["total_slots"], 256);
    let slots = ask_get(&engine, "/slots?fail_on_no_slot=1").await.json();
    assert_eq!(slots.as_array().map(Vec::len), Some(256));
    let page = ask_get(&engine, "/metrics").await.text();
    assert!(page.contains("llamacpp:requests_processing 0\n"));
    let long = ask(&engine, "/completion", json!({"prompt": vec![900; 5_000]})).await;
    assert_eq!(long.status, 400);
    assert_eq!(long.json()["error"]["type"], "exceed_context_size_error");
    assert_eq!(long.json()["error"]["n_prompt_tokens"], 5_000);
    let tokens = ask(&engine, "/tokenize", json!({"content": "Hello there"}))
        .await
        .json();
    let back = ask(&engine, "/detokenize", tokens).await.json();
    assert_eq!(back["content"], "Hello there");
    let template = json!({"messages": [{"role": "user", "content": "Hi"}]});
    let prompt = ask(&engine, "/apply-template", template).await.json();
    assert!(prompt["prompt"].as_str().expect("text").contains("Hi"));
    assert_eq!(
        ask_get(&engine, "/nope").await.json()["error"]["type"],
        "not_found_error"
    );
}

#[tokio::test]
async fn tgi_takes_text_alone() {
    let engine = engine(Flavour::Tgi).await;
    let body = json!({"inputs": "The quick brown fox", "parameters": {"max_new_tokens": 6, "details": true}});
    let whole = ask(&engine, "/generate", body.clone()).await.json();
    let text = whole["generated_text"].as_str().expect("text");
    let details = &whole["details"];
    assert_eq!(
        details["tokens"].as_array().map(Vec::len),
        details["generated_tokens"]
            .as_u64()
            .map(|count| usize::try_from(count).expect("few"))
    );
    let reply = ask(&engine, "/generate_stream", body.clone()).await;
    let events = events(&reply, "data:");
    let streamed: String = events
        .iter()
        .map(|event| event["token"]["text"].as_str().expect("text"))
        .collect();
    assert_eq!(streamed, text);
    let last = events.last().expect("events");
    assert_eq!(
        (&last["generated_text"], &last["index"]),
        (&json!(text), &json!(events.len()))
    );
    assert_eq!(events[0]["generated_text"], Value::Null);
    let root = ask(&engine, "/", body).await.json();
    assert_eq!(root["generated_text"], text);
    let info = ask_get(&engine, "/info").await.json();
    assert_eq!(
        (&info["model_id"], &info["max_total_tokens"]),
        (&json!("demo"), &json!(4_096))
    );
    let page = ask_get(&engine, "/metrics").await.text();
    assert!(page.contains("tgi_queue_size 0\n"));
    for (fault, status, kind) in [
        (FaultKind::Busy503, 429, "overloaded"),
        (FaultKind::Error500, 424, "generation"),
    ] {
        engine.inject(FaultSpec::new(fault).times(1));
        let refused = ask(&engine, "/generate", json!({"inputs": "Hi"})).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["error_type"]),
            (status, &json!(kind))
        );
    }
    let refused = ask(&engine, "/generate", json!({"input_ids": [1]})).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["error_type"]),
        (422, &json!("validation"))
    );
    let adapter = json!({"inputs": "Hi", "parameters": {"adapter_id": "unknown"}});
    assert_eq!(ask(&engine, "/generate", adapter).await.status, 404);
    let chunks = fetch(
        &engine,
        post(
            "/v1/chat/completions",
            &chat("Hi", &json!({"stream": true, "max_tokens": 3})),
        ),
    )
    .await
    .chunks();
    assert!(chunks.len() >= 3);
}
