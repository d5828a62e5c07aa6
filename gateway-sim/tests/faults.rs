//! Every fault that can be ordered, as a client meets it.

mod support;

use std::future::Future;
use std::time::Duration;

use gateway_sim::engine::{FaultKind, FaultSpec, RunningEngine, SimConfig};
use http_body_util::BodyExt;
use serde_json::json;
use support::*;

const CHAT: &str = "/v1/chat/completions";

fn fault(kind: FaultKind) -> FaultSpec {
    FaultSpec::new(kind)
}

async fn stream(engine: &RunningEngine) -> Result<Reply, BoxError> {
    try_fetch(
        engine,
        post(
            CHAT,
            &chat("Go on.", &json!({"stream": true, "max_tokens": 20})),
        ),
    )
    .await
}

/// Whether it is still waiting after a while. Too short a while proves less, but never fails a good engine.
async fn stays_pending(future: impl Future) -> bool {
    tokio::time::timeout(Duration::from_millis(100), future)
        .await
        .is_err()
}

#[tokio::test]
async fn failing_requests_leave_health_alone_and_last_as_ordered() {
    let engine = start(config()).await;
    engine.inject(fault(FaultKind::Error500).times(2));
    for status in [500, 500, 200] {
        assert_eq!(fetch(&engine, get("/health")).await.status, 200);
        assert_eq!(post_chat(&engine, "x", json!({})).await.status, status);
    }
    engine.inject(fault(FaultKind::Busy503).times(1));
    assert_eq!(post_chat(&engine, "x", json!({})).await.status, 503);
    engine.inject(fault(FaultKind::Health503));
    assert_eq!(fetch(&engine, get("/health")).await.status, 503);
    assert_eq!(post_chat(&engine, "x", json!({})).await.status, 200);
    engine.clear_faults();
    assert_eq!(fetch(&engine, get("/health")).await.status, 200);
}

#[tokio::test]
async fn faults_are_ordered_over_http_too() {
    let engine = start(config()).await;
    let order = json!({"kind": "error_500", "count": 1});
    assert_eq!(
        fetch(&engine, post("/sim/faults", &order)).await.json()[0]["count"],
        1
    );
    assert_eq!(post_chat(&engine, "x", json!({})).await.status, 500);
    assert_eq!(fetch(&engine, get("/sim/faults")).await.json(), json!([]));
    let unknown = fetch(&engine, post("/sim/faults", &json!({"kind": "earthquake"}))).await;
    assert_eq!(unknown.status, 400);
}

#[tokio::test]
async fn streams_break_in_each_way() {
    let engine = start(config()).await;
    let whole = stream(&engine).await.expect("a reply").chunks();

    engine.inject(fault(FaultKind::ErrorChunk).times(1).after_chunks(3));
    let reply = stream(&engine).await.expect("a reply");
    assert_eq!(reply.status, 200);
    let chunks = reply.chunks();
    assert_eq!(chunks.len(), 4);
    assert_eq!(chunks[3]["error"]["code"], 500);

    engine.inject(fault(FaultKind::AbortStream).times(1).after_chunks(3));
    let chunks = stream(&engine).await.expect("a reply").chunks();
    assert_eq!(chunks.len(), 4);
    assert_eq!(chunks[3]["choices"][0]["finish_reason"], "abort");

    engine.inject(fault(FaultKind::DropStream).times(1).after_chunks(3));
    assert!(stream(&engine).await.is_err(), "the body breaks off");

    engine.inject(fault(FaultKind::MalformedSse).times(1).after_chunks(3));
    let events = stream(&engine).await.expect("a reply").events();
    let broken: Vec<_> = events
        .iter()
        .filter(|event| serde_json::from_str::<serde_json::Value>(event).is_err())
        .collect();
    assert_eq!(broken.len(), 2, "the broken one and [DONE]");
    assert_eq!(events.len(), whole.len() + 2);

    // A fault ordered later than the stream is long strikes at its end.
    engine.inject(fault(FaultKind::ErrorChunk).times(1).after_chunks(1_000));
    let chunks = stream(&engine).await.expect("a reply").chunks();
    assert!(chunks.last().expect("chunks")["error"].is_object());
    assert_eq!(
        stream(&engine).await.expect("a reply").chunks().len(),
        whole.len()
    );
}

#[tokio::test]
async fn an_engine_dies_in_mid_stream_or_asks_for_the_request_again() {
    let engine = start(config()).await;
    engine.inject(fault(FaultKind::Recomputed).times(2).after_chunks(3));
    let chunks = stream(&engine).await.expect("a reply").chunks();
    let last = &chunks[3]["choices"][0];
    assert_eq!(
        (chunks.len(), &last["stop_reason"]),
        (4, &json!("recomputed"))
    );
    assert_eq!(last["finish_reason"], "stop");
    let whole = post_chat(&engine, "x", json!({"max_tokens": 20, "ignore_eos": true})).await;
    let whole = whole.json();
    assert_eq!(whole["choices"][0]["stop_reason"], "recomputed");
    assert_eq!(whole["usage"]["completion_tokens"], 3);
    engine.inject(fault(FaultKind::RefuseConnections).times(1));
    assert!(stream(&engine).await.is_err());
    assert!(stream(&engine).await.is_ok());
    engine.inject(fault(FaultKind::DieMidStream).after_chunks(3));
    assert!(stream(&engine).await.is_err());
    assert!(!engine.is_up());
}

#[tokio::test]
async fn replies_without_streaming_break_too() {
    let engine = start(config()).await;
    let more = json!({"max_tokens": 20, "ignore_eos": true});
    engine.inject(fault(FaultKind::AbortStream).times(1).after_chunks(3));
    let cut = post_chat(&engine, "x", more.clone()).await.json();
    assert_eq!(cut["choices"][0]["finish_reason"], "abort");
    assert_eq!(cut["usage"]["completion_tokens"], 3);
    engine.inject(fault(FaultKind::ErrorChunk).times(1));
    assert_eq!(post_chat(&engine, "x", more.clone()).await.status, 500);
    engine.inject(fault(FaultKind::DropStream).times(1));
    assert!(
        try_fetch(&engine, post(CHAT, &chat("x", &more)))
            .await
            .is_err()
    );
    engine.inject(fault(FaultKind::MalformedSse).times(1));
    let broken = post_chat(&engine, "x", more).await;
    assert_eq!(broken.status, 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&broken.body).is_err());
}

#[tokio::test]
async fn a_frozen_stream_gives_what_it_gave_and_never_ends() {
    let engine = start(config()).await;
    engine.inject(fault(FaultKind::FreezeStreams).times(1).after_chunks(3));
    let mut connection = Connection::open(engine.addr()).await.expect("a connection");
    let body = chat(
        "x",
        &json!({"stream": true, "max_tokens": 50, "ignore_eos": true}),
    );
    let mut response = connection.send(post(CHAT, &body)).await.expect("headers");
    let mut text = String::new();
    while text.matches("data: ").count() < 3 {
        let frame = response
            .body_mut()
            .frame()
            .await
            .expect("no end")
            .expect("no error");
        text.push_str(std::str::from_utf8(frame.data_ref().expect("data")).expect("UTF-8"));
    }
    assert!(stays_pending(response.body_mut().frame()).await);
    assert_eq!(stream(&engine).await.expect("others go on").status, 200);
}

#[tokio::test]
async fn a_terminated_engine_refuses_connections_and_its_streams_stand_still() {
    let engine = start(SimConfig {
        time_scale: 10.0,
        ..config()
    })
    .await;
    let mut connection = Connection::open(engine.addr()).await.expect("a connection");
    let body = chat("x", &json!({"stream": true, "ignore_eos": true}));
    let mut response = connection.send(post(CHAT, &body)).await.expect("headers");
    response
        .body_mut()
        .frame()
        .await
        .expect("a first chunk")
        .expect("no error");
    engine.inject(fault(FaultKind::Sigterm));
    while Connection::open(engine.addr()).await.is_ok() {}
    // What was under way may still come, then nothing does.
    let rest = async { while let Some(Ok(_)) = response.body_mut().frame().await {} };
    assert!(stays_pending(rest).await, "neither an end nor an error");
    assert!(!engine.is_up());
}

#[tokio::test]
async fn a_killed_engine_takes_all_connections_with_it() {
    for poison in [false, true] {
        let engine = start(SimConfig {
            time_scale: 1.0,
            ..config()
        })
        .await;
        let mut connection = Connection::open(engine.addr()).await.expect("a connection");
        let body = chat("x", &json!({"stream": true, "ignore_eos": true}));
        let mut response = connection.send(post(CHAT, &body)).await.expect("headers");
        if poison {
            engine.inject(fault(FaultKind::Poison));
            let killer =
                try_fetch(&engine, post(CHAT, &chat("take this POISON", &json!({})))).await;
            assert!(killer.is_err(), "no reply, only the end of the connection");
        } else {
            engine.inject(fault(FaultKind::Die));
        }
        while response
            .body_mut()
            .frame()
            .await
            .expect("no proper end")
            .is_ok()
        {}
        assert!(try_fetch(&engine, get("/health")).await.is_err());
    }
}

#[tokio::test]
async fn an_engine_that_hangs_takes_requests_and_answers_none() {
    let engine = start(config()).await;
    engine.inject(fault(FaultKind::Hang).times(1));
    assert!(stays_pending(post_chat(&engine, "x", json!({}))).await);
    assert_eq!(engine.stats().requests, 1);
    assert_eq!(post_chat(&engine, "x", json!({})).await.status, 200);
}

#[tokio::test]
async fn a_dead_connection_promised_to_live() {
    let engine = start(config()).await;
    for body in [
        json!({"max_tokens": 2}),
        json!({"max_tokens": 2, "stream": true}),
    ] {
        engine.inject(fault(FaultKind::DeadConnection).times(1));
        let mut connection = Connection::open(engine.addr()).await.expect("a connection");
        let reply = connection
            .fetch(post(CHAT, &chat("x", &body)))
            .await
            .expect("a whole reply");
        assert_eq!(reply.status, 200);
        assert_eq!(
            reply.headers.get("connection"),
            None,
            "nothing announces it"
        );
        assert!(connection.fetch(get("/health")).await.is_err());
    }
}

#[tokio::test]
async fn slow_ones_are_late_but_right() {
    let engine = start(config()).await;
    engine.inject(fault(FaultKind::SlowHealth).times(1).of_millis(60_000));
    engine.inject(fault(FaultKind::SlowFirstByte).times(1).of_millis(60_000));
    assert!(stays_pending(fetch(&engine, get("/health"))).await);
    assert!(stays_pending(post_chat(&engine, "x", json!({}))).await);
    engine.inject(fault(FaultKind::SlowHealth).times(1).of_millis(1));
    assert_eq!(fetch(&engine, get("/health")).await.status, 200);

    let body = json!({"max_tokens": 10, "ignore_eos": true});
    let busy = || engine.model_metrics().busy_micros;
    post_chat(&engine, "y", body.clone()).await;
    let normal = busy();
    engine.inject(fault(FaultKind::Slow).by_factor(5.0));
    post_chat(&engine, "z", body).await;
    let slow = busy() - normal;
    assert!(
        slow > normal * 4 && slow < normal * 6,
        "{slow} against {normal} microseconds of the model"
    );
}

#[tokio::test]
async fn metrics_and_errors_take_other_engines_shapes() {
    let engine = start(config()).await;
    engine.inject(fault(FaultKind::NanMetric).times(1));
    let page = fetch(&engine, get("/metrics")).await.text();
    assert!(page.contains("vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"demo\"} NaN"));
    engine.inject(fault(FaultKind::FlatErrors).times(1));
    let flat = fetch(&engine, post(CHAT, &json!({"model": "nope"})))
        .await
        .json();
    assert_eq!(flat["object"], "error");
    assert_eq!(flat["code"], 404);
}
