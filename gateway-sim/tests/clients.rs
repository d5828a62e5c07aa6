//! Clients that leave, stay or come in crowds.

mod support;

use std::sync::Arc;
use std::time::Duration;

use gateway_sim::engine::SimConfig;
use serde_json::json;
use support::*;
use tokio::task::JoinSet;
use tokio::time::timeout;

#[tokio::test]
async fn a_client_that_leaves_frees_its_request() {
    let engine = start(SimConfig {
        time_scale: 1.0,
        ..config()
    })
    .await;
    for stream in [true, false] {
        let mut connection = Connection::open(engine.addr()).await.expect("a connection");
        let body = chat("x", &json!({"stream": stream, "ignore_eos": true}));
        let request = post("/v1/chat/completions", &body);
        if stream {
            let response = connection.send(request).await.expect("headers");
            until(|| engine.stats().running == 1).await;
            drop((response, connection));
        } else {
            let pending = tokio::spawn(async move { connection.fetch(request).await.map(|_| ()) });
            until(|| engine.stats().running == 1).await;
            pending.abort();
        }
        until(|| engine.stats().running == 0).await;
        assert_eq!(engine.model_metrics().blocks_in_use, 0);
    }
    assert_eq!(engine.stats().aborted, 2);
    assert_eq!(engine.stats().finished, 0);
}

#[tokio::test]
async fn connections_are_kept_and_an_engine_that_is_shut_down_frees_its_address() {
    let engine = start(config()).await;
    let mut connection = Connection::open(engine.addr()).await.expect("a connection");
    for _ in 0..3 {
        let reply = connection
            .fetch(post("/v1/chat/completions", &chat("x", &json!({}))))
            .await;
        assert_eq!(reply.expect("a reply").status, 200);
    }
    assert_eq!(engine.stats().connections, 1);
    let addr = engine.addr();
    engine.shutdown().await;
    assert!(connection.fetch(get("/health")).await.is_err());
    let again = start(SimConfig {
        listen: addr,
        ..config()
    })
    .await;
    assert_eq!(fetch(&again, get("/health")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_which_many_leave_leaves_nothing_behind() {
    let mut config = SimConfig {
        time_scale: 100.0,
        ..config()
    };
    (config.engine.kv_blocks, config.engine.max_model_tokens) = (300, 4_096);
    config.engine.max_sequences = 16;
    let engine = Arc::new(start(config).await);
    let mut crowd = JoinSet::new();
    for client in 0..60_u64 {
        let engine = Arc::clone(&engine);
        crowd.spawn(async move {
            let more = json!({"stream": client % 2 == 0, "max_tokens": 200, "min_tokens": 150});
            let request = post(
                "/v1/chat/completions",
                &chat(&format!("{client} river").repeat(20), &more),
            );
            let mut connection = Connection::open(engine.addr()).await.expect("a connection");
            if client % 3 == 0 {
                // Leaves after the headers, or while it waits for them.
                let patience = Duration::from_millis(client);
                let _ = timeout(patience, connection.send(request)).await;
                return 0;
            }
            u64::from(connection.fetch(request).await.expect("a reply").status == 200)
        });
    }
    let mut served = 0;
    while let Some(one) = crowd.join_next().await {
        served += one.expect("no panic");
    }
    assert_eq!(served, 40);
    until(|| engine.stats().running + engine.stats().waiting == 0).await;
    let (stats, metrics) = (engine.stats(), engine.model_metrics());
    assert_eq!(metrics.blocks_in_use, 0);
    assert_eq!(stats.submitted, stats.finished + stats.aborted);
    assert!(stats.finished >= 40);
}
