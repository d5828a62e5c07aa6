//! Pairs by vLLM's Mooncake connector.

mod support;

use gateway_sim::engine::{Connector, RunningEngine, SimConfig, TransferConfig};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use support::*;

async fn engine() -> RunningEngine {
    start(SimConfig {
        transfer: Some(TransferConfig {
            connector: Connector::Mooncake,
            lease_ms: 3_600_000_000,
            wait_ms: 480_000,
            ..TransferConfig::default()
        }),
        ..config()
    })
    .await
}

fn body(params: &Value, max_tokens: u32) -> Value {
    let prompt: Vec<u32> = (900..1_000).collect();
    json!({"model": "demo", "prompt": prompt, "max_tokens": max_tokens, "ignore_eos": true,
        "return_token_ids": true, "kv_transfer_params": params})
}

/// The engine id that the bootstrap server tells.
async fn engine_id(engine: &RunningEngine) -> Value {
    let addr = engine.transfer_addr().expect("it takes part");
    let mut connection = Connection::open(addr).await.expect("a connection");
    let response = connection.send(get("/query")).await.expect("a reply");
    let bytes = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let ranks: Value = serde_json::from_slice(&bytes).expect("JSON");
    ranks["0"]["engine_id"].clone()
}

#[tokio::test]
async fn both_legs_go_out_at_once_and_meet_by_the_routers_name() {
    let (p, d) = (engine().await, engine().await);
    let ids = |reply: Reply| reply.json()["choices"][0]["token_ids"].clone();
    let alone = ids(fetch(&d, post("/v1/completions", &body(&Value::Null, 8))).await);
    d.reset_prefix_cache();
    let address = format!("http://{}", p.transfer_addr().expect("it takes part"));
    let asked = json!({"do_remote_prefill": true, "transfer_id": "t1", "remote_bootstrap_addr": address,
        "remote_engine_id": engine_id(&p).await});
    let offered = json!({"do_remote_decode": true, "transfer_id": "t1"});
    let (decode, prefill) = (body(&asked, 8), body(&offered, 1));
    let (decoded, prefilled) = tokio::join!(
        fetch(&d, post("/v1/completions", &decode)),
        fetch(&p, post("/v1/completions", &prefill)),
    );
    assert_eq!(prefilled.json()["kv_transfer_params"], Value::Null);
    assert_eq!(ids(decoded), alone);
    assert_eq!((d.stats().pulls, p.stats().handoffs_held), (1, 0));
    // Nobody computes this one.
    let mut asked = asked;
    asked["transfer_id"] = "t2".into();
    let lonely = fetch(&d, post("/v1/completions", &body(&asked, 8))).await;
    assert_eq!((lonely.status.as_u16(), d.stats().pulls_failed), (500, 1));
    asked["remote_engine_id"] = "another".into();
    let other = fetch(&d, post("/v1/completions", &body(&asked, 8))).await;
    assert_eq!(other.status, 500);
    let page = fetch(&d, get("/metrics")).await.text();
    let failed = "vllm:mooncake_num_failed_recvs_total{engine=\"0\",model_name=\"demo\"} 2.0";
    assert!(page.contains(failed) && !page.contains("nixl"), "{page}");
}
