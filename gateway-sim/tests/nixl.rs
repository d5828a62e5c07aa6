//! Pairs by vLLM's NIXL connector.

mod support;

use gateway_sim::engine::{FaultKind, FaultSpec, RunningEngine, SimConfig, TransferConfig};
use serde_json::{Value, json};
use support::*;

const COMPLETIONS: &str = "/v1/completions";

fn pair_config(recomputes: bool) -> SimConfig {
    SimConfig {
        transfer: Some(TransferConfig {
            // A minute of the engine's time is 60 milliseconds here.
            lease_ms: 3_600_000_000,
            recomputes,
            ..TransferConfig::default()
        }),
        ..config()
    }
}

async fn engine() -> RunningEngine {
    start(pair_config(false)).await
}

fn body(more: &Value) -> Value {
    let prompt: Vec<u32> = (900..1_000).collect();
    let mut body = json!({"model": "demo", "prompt": prompt, "max_tokens": 8, "ignore_eos": true,
        "return_token_ids": true});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

async fn ask(engine: &RunningEngine, more: Value) -> Reply {
    fetch(engine, post(COMPLETIONS, &body(&more))).await
}

/// What the prefill leg hands over.
async fn prefill(engine: &RunningEngine) -> Value {
    let asked = json!({"do_remote_decode": true, "do_remote_prefill": false, "remote_engine_id": null,
        "remote_block_ids": null, "remote_host": null, "remote_port": null});
    let reply = ask(
        engine,
        json!({"max_tokens": 1, "kv_transfer_params": asked}),
    )
    .await;
    assert_eq!(reply.status, 200);
    reply.json()["kv_transfer_params"].clone()
}

async fn decode(engine: &RunningEngine, params: &Value) -> Reply {
    ask(engine, json!({"kv_transfer_params": params})).await
}

fn ids(reply: &Reply) -> Value {
    reply.json()["choices"][0]["token_ids"].clone()
}

#[tokio::test]
async fn a_pair_answers_as_one_engine_would_and_leaves_nothing_behind() {
    let (p, d) = (engine().await, engine().await);
    let alone = ids(&ask(&engine().await, json!({})).await);
    let params = prefill(&p).await;
    assert_eq!(
        params["remote_block_ids"][0].as_array().map(Vec::len),
        Some(7)
    );
    assert_eq!(params["remote_num_tokens"], 100);
    assert_eq!(params["transfer_mode"], "pull");
    assert_eq!((p.stats().blocks_held, p.stats().handoffs_held), (7, 1));
    let page = fetch(&p, get("/metrics")).await.text();
    assert!(!page.contains("kv_cache_usage_perc{engine=\"0\",model_name=\"demo\"} 0.0\n"));
    let reply = decode(&d, &params).await;
    assert_eq!((reply.status.as_u16(), ids(&reply)), (200, alone));
    assert_eq!(
        reply.json()["usage"]["prompt_tokens_details"]["cached_tokens"],
        0
    );
    assert_eq!((p.stats().blocks_held, d.stats().pulls), (0, 1));
    // What came is in the decode engine's cache from now on.
    let again = ask(&d, json!({})).await.json();
    assert_eq!(again["usage"]["prompt_tokens_details"]["cached_tokens"], 96);
}

#[tokio::test]
async fn parameters_used_twice_give_a_wrong_answer_and_no_error() {
    let (p, d) = (engine().await, engine().await);
    let params = prefill(&p).await;
    let right = ids(&decode(&d, &params).await);
    let twice = decode(&d, &params).await;
    assert_eq!(twice.status, 200);
    assert_ne!(ids(&twice), right);
    assert_eq!((d.stats().pulls_spoilt, p.stats().handoffs_missed), (1, 1));
    let mut other = body(&json!({"kv_transfer_params": prefill(&p).await}));
    other["prompt"] = json!([5, 6, 7]);
    let foreign = fetch(&d, post(COMPLETIONS, &other)).await;
    other["kv_transfer_params"] = Value::Null;
    assert_ne!(
        ids(&foreign),
        ids(&fetch(&d, post(COMPLETIONS, &other)).await)
    );
}

#[tokio::test]
async fn missing_keys_mean_no_transfer_and_the_blocks_stay_until_their_lease_ends() {
    let p = start(pair_config(false)).await;
    let d = engine().await;
    let alone = ids(&ask(&d, json!({})).await);
    for key in [
        "remote_engine_id",
        "remote_request_id",
        "remote_host",
        "remote_port",
    ] {
        let mut params = prefill(&p).await;
        params.as_object_mut().expect("an object").remove(key);
        assert_eq!(ids(&decode(&d, &params).await), alone, "without {key}");
    }
    assert_eq!((p.stats().handoffs_held, d.stats().pulls), (4, 0));
    let mut short = pair_config(false);
    short.transfer.as_mut().expect("set above").lease_ms = 1_000;
    let p = start(short).await;
    let params = prefill(&p).await;
    until(|| p.stats().blocks_held == 0).await;
    assert_eq!(p.stats().handoffs_expired, 1);
    assert_ne!(ids(&decode(&d, &params).await), alone);
    let page = fetch(&p, get("/metrics")).await.text();
    assert!(
        page.contains("vllm:nixl_num_kv_expired_reqs_total{engine=\"0\",model_name=\"demo\"} 1.0")
    );
}

#[tokio::test]
async fn what_ends_by_itself_or_has_several_answers_is_not_handed_over() {
    let p = engine().await;
    let asked = json!({"do_remote_decode": true});
    let several = json!({"n": 2, "max_tokens": 1, "kv_transfer_params": asked});
    let reply = ask(&p, several).await.json();
    assert_eq!(reply["kv_transfer_params"], Value::Null);
    let first = ids(&ask(&p, json!({"max_tokens": 1})).await)[0].clone();
    let stopped = json!({"max_tokens": 1, "stop_token_ids": [first], "kv_transfer_params": asked});
    let reply = ask(&p, stopped).await.json();
    assert_eq!(reply["choices"][0]["finish_reason"], "stop");
    assert_eq!(reply["kv_transfer_params"], Value::Null);
    assert_eq!(p.stats().blocks_held, 0);
}

#[tokio::test]
async fn a_dead_prefill_engine_fails_the_decode_leg_or_makes_it_compute() {
    for recomputes in [false, true] {
        let p = engine().await;
        let d = start(pair_config(recomputes)).await;
        let alone = ids(&ask(&d, json!({})).await);
        let params = prefill(&p).await;
        p.shutdown().await;
        let reply = decode(&d, &params).await;
        if recomputes {
            assert_eq!(ids(&reply), alone);
            continue;
        }
        assert_eq!(reply.status, 500);
        let streamed = json!({"stream": true, "kv_transfer_params": params});
        let reply = ask(&d, streamed).await;
        assert_eq!(reply.status, 200, "the headers are out by then");
        assert_eq!(reply.chunks()[0]["error"]["code"], 500);
        assert_eq!(d.stats().pulls_failed, 2);
    }
}

#[tokio::test]
async fn transfers_fail_on_either_side_and_first_contacts_time_out_as_ordered() {
    let (p, d) = (engine().await, engine().await);
    let once = |kind| FaultSpec::new(kind).times(1);
    d.inject(once(FaultKind::HandshakeTimeout));
    let params = prefill(&p).await;
    assert_eq!(decode(&d, &params).await.status, 500);
    let params = prefill(&p).await;
    assert_eq!(decode(&d, &params).await.status, 200);
    for (side, name) in [(&p, "prefill"), (&d, "decode")] {
        side.inject(once(FaultKind::TransferFailed));
        let params = prefill(&p).await;
        assert_eq!(decode(&d, &params).await.status, 500, "{name}");
        assert_eq!(decode(&d, &params).await.status, 200, "{name}");
    }
    assert_eq!(p.stats().handoffs_held, 1, "the first one's still is");
}

#[tokio::test]
async fn who_leaves_or_is_refused_frees_the_blocks_but_nobody_else_does() {
    let (p, d) = (engine().await, engine().await);
    let mut params = prefill(&p).await;
    let refused = ask(&d, json!({"max_tokens": 0, "kv_transfer_params": params})).await;
    assert_eq!(refused.status, 400);
    until(|| p.stats().blocks_held == 0).await;
    params = prefill(&p).await;
    let slow = start(SimConfig {
        transfer: Some(TransferConfig {
            tokens_per_second: 1,
            ..TransferConfig::default()
        }),
        time_scale: 1.0,
        ..config()
    })
    .await;
    let mut connection = Connection::open(slow.addr()).await.expect("a connection");
    let asked = post(COMPLETIONS, &body(&json!({"kv_transfer_params": params})));
    let waiting = tokio::spawn(async move { connection.send(asked).await.map(|_| ()) });
    until(|| slow.stats().requests == 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(p.stats().handoffs_held, 1);
    waiting.abort();
    until(|| p.stats().handoffs_held == 0).await;
    assert_eq!(p.stats().handoffs_expired, 0, "somebody told");
}

/// Engines at the pace of the clock: one that holds blocks for half a second, and one that reads them at that rate.
async fn slow_pair(tokens_per_second: u32) -> (RunningEngine, RunningEngine) {
    let with = |lease_ms, tokens_per_second| SimConfig {
        transfer: Some(TransferConfig {
            lease_ms,
            tokens_per_second,
            ..TransferConfig::default()
        }),
        time_scale: 1.0,
        ..config()
    };
    let p = start(with(500, 1)).await;
    (p, start(with(500, tokens_per_second)).await)
}

#[tokio::test]
async fn heartbeats_prolong_a_lease_for_as_long_as_the_blocks_are_read() {
    let (p, d) = slow_pair(50).await;
    let alone = ids(&ask(&p, json!({})).await);
    let params = prefill(&p).await;
    assert_eq!(
        ids(&decode(&d, &params).await),
        alone,
        "read for two seconds"
    );
    assert_eq!((p.stats().handoffs_expired, d.stats().pulls), (0, 1));
    d.inject(FaultSpec::new(FaultKind::LoseHeartbeat));
    let params = prefill(&p).await;
    assert_ne!(ids(&decode(&d, &params).await), alone);
    assert_eq!((p.stats().handoffs_expired, d.stats().pulls_spoilt), (1, 1));
}

#[tokio::test]
async fn a_prefill_engine_that_dies_while_its_blocks_are_read_fails_the_transfer() {
    let (p, d) = slow_pair(100).await;
    let params = prefill(&p).await;
    let reading = decode(&d, &params);
    let killing = async {
        until(|| d.stats().requests == 1).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        p.shutdown().await;
    };
    let (reply, ()) = tokio::join!(reading, killing);
    assert_eq!((reply.status.as_u16(), d.stats().pulls_failed), (500, 1));
}
