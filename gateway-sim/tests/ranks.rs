//! Data-parallel ranks and adapters.

mod support;

use gateway_sim::engine::{KvEventsConfig, SimConfig};
use serde_json::json;
use support::*;

#[tokio::test]
async fn a_header_picks_the_rank_and_each_rank_has_its_series_and_feed() {
    let engine = start(SimConfig {
        dp_ranks: 3,
        kv_events: Some(KvEventsConfig::new("demo")),
        ..config()
    })
    .await;
    let body = chat("Hi", &json!({"max_tokens": 2}));
    let to = async |rank: &str| {
        let mut request = post("/v1/chat/completions", &body);
        let value = rank.parse().expect("a header's value");
        request.headers_mut().insert("x-data-parallel-rank", value);
        fetch(&engine, request).await.status
    };
    assert_eq!(to("1").await, 200);
    assert_eq!(to("1").await, 200);
    for outside in ["3", "-1"] {
        assert_eq!(to(outside).await, 400);
    }
    let finished = |rank| engine.rank_metrics(rank).expect("a rank").finished;
    assert_eq!([0, 1, 2].map(finished), [0, 2, 0]);
    assert_eq!(engine.model_metrics().finished, 2);
    let page = fetch(&engine, get("/metrics")).await.text();
    let family = "# TYPE vllm:generation_tokens_total counter\n";
    assert_eq!(page.matches(family).count(), 1);
    let series =
        |rank| format!("vllm:generation_tokens_total{{engine=\"{rank}\",model_name=\"demo\"}}");
    assert!(page.contains(&format!("{} 4.0", series(1))));
    assert!(page.contains(&format!("{} 0.0", series(2))));
    let sources = fetch(&engine, get("/kv_event_sources")).await.json();
    let endpoints: Vec<_> = ["0", "1", "2"]
        .map(|rank| sources[rank]["endpoint"].clone())
        .into();
    assert!(endpoints.iter().all(serde_json::Value::is_string));
    assert_ne!(endpoints[0], endpoints[1]);
}

#[tokio::test]
async fn requests_without_a_rank_go_to_the_idlest() {
    let engine = start(SimConfig {
        dp_ranks: 2,
        ..config()
    })
    .await;
    let more = json!({"max_tokens": 200, "ignore_eos": true});
    tokio::join!(
        post_chat(&engine, "a", more.clone()),
        post_chat(&engine, "b", more.clone())
    );
    let finished = |rank| engine.rank_metrics(rank).expect("a rank").finished;
    assert_eq!([finished(0), finished(1)], [1, 1]);
}

#[tokio::test]
async fn adapters_come_and_go() {
    let engine = start(config()).await;
    let order = async |path: &str, name: &str| {
        let body = json!({"lora_name": name, "lora_path": "/adapters/a"});
        fetch(&engine, post(path, &body)).await
    };
    let ask = async || {
        let body = json!({"model": "tuned", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1});
        fetch(&engine, post("/v1/chat/completions", &body))
            .await
            .status
    };
    assert_eq!(ask().await, 404);
    let loaded = order("/v1/load_lora_adapter", "tuned").await;
    assert_eq!(
        loaded.text(),
        "Success: LoRA adapter 'tuned' added successfully."
    );
    assert_eq!(order("/v1/load_lora_adapter", "tuned").await.status, 400);
    assert_eq!(order("/v1/load_lora_adapter", "").await.status, 400);
    assert_eq!(ask().await, 200);
    let models = fetch(&engine, get("/v1/models")).await.json();
    assert_eq!(
        (&models["data"][1]["id"], &models["data"][1]["parent"]),
        (&json!("tuned"), &json!("demo"))
    );
    let page = fetch(&engine, get("/metrics")).await.text();
    assert!(
        page.contains("vllm:lora_requests_info{max_lora=\"4\",running_lora_adapters=\"tuned\"")
    );
    assert_eq!(order("/v1/unload_lora_adapter", "tuned").await.status, 200);
    assert_eq!(order("/v1/unload_lora_adapter", "tuned").await.status, 404);
    assert_eq!(ask().await, 404);
}
