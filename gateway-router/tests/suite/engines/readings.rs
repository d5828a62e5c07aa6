//! Where engines tell of their load and health, and what stands in where a version does not.

use std::time::Duration;

use gateway_router::{
    EngineKind, Target,
    core::load::Telemetry,
    engine::{EngineClient, HttpEngine},
};

use crate::common::{table::TableEngine, within};

const LOADS: &str = r#"{"loads":[{"dp_rank":0,"num_running_reqs":3,"num_waiting_reqs":1,"token_usage":0.5,"max_total_num_tokens":1000}]}"#;
const OLD_LOAD: &str = r#"[{"dp_rank":0,"num_reqs":4,"num_waiting_reqs":1,"num_tokens":9}]"#;
const PAGE: &str =
    "sglang:num_running_reqs 7\nsglang:page_size 16\nsglang:generation_tokens_total 90\n";

fn client(target: Target, kind: EngineKind) -> HttpEngine {
    HttpEngine::new(target, kind, None, 4, Duration::from_secs(30))
}

async fn read(client: &HttpEngine) -> Telemetry {
    within(client.telemetry()).await.expect("it answers")
}

#[tokio::test]
async fn the_load_of_sglang_is_completed_by_its_metrics() {
    let engine = TableEngine::start(&[("/v1/loads", LOADS), ("/metrics", PAGE)]).await;
    let reading = read(&client(engine.target(), EngineKind::Sglang)).await;
    let expected = Telemetry {
        running: Some(3),
        waiting: Some(1),
        kv_used: Some(0.5),
        kv_capacity_tokens: Some(1000),
        block_tokens: Some(16),
        generation_tokens: Some(90),
        ..Telemetry::default()
    };
    assert_eq!(reading, expected);
}

#[tokio::test]
async fn an_older_sglang_is_asked_the_older_way_and_only_once_the_newer() {
    let engine = TableEngine::start(&[("/get_load", OLD_LOAD)]).await;
    let client = client(engine.target(), EngineKind::Sglang);
    for routes in [&["/v1/loads", "/get_load", "/metrics"][..], &["/get_load"]] {
        let reading = read(&client).await;
        assert_eq!((reading.running, reading.waiting), (Some(3), Some(1)));
        assert_eq!(engine.asked(), routes);
    }
}

#[tokio::test]
async fn an_engine_that_became_another_version_under_way_is_asked_from_the_first_route_on() {
    let engine = TableEngine::start(&[("/get_load", OLD_LOAD)]).await;
    let client = client(engine.target(), EngineKind::Sglang);
    assert_eq!(read(&client).await.waiting, Some(1));
    engine.asked();
    engine.say("/get_load", 404, "");
    engine.say("/v1/loads", 200, LOADS);
    assert_eq!(read(&client).await.running, Some(3));
    assert_eq!(engine.asked(), ["/get_load", "/v1/loads"]);
}

#[tokio::test]
async fn what_was_missing_once_is_asked_for_now_and_then() {
    let engine = TableEngine::start(&[]).await;
    let client = client(engine.target(), EngineKind::Vllm);
    assert_eq!(read(&client).await, Telemetry::default());
    engine.say("/metrics", 200, "vllm:num_requests_running 2\n");
    engine.asked();
    let mut readings = 0;
    while read(&client).await == Telemetry::default() {
        readings += 1;
        assert!(engine.asked().is_empty() && readings < 100, "{readings}");
    }
    assert!(readings > 10, "not each time: {readings}");
    assert_eq!(engine.asked(), ["/metrics"]);
}

#[tokio::test]
async fn metrics_alone_will_do_and_nothing_at_all_is_unknown() {
    let engine = TableEngine::start(&[("/metrics", PAGE)]).await;
    let reading = read(&client(engine.target(), EngineKind::Sglang)).await;
    assert_eq!(reading.running, Some(7));

    let silent = TableEngine::start(&[]).await;
    let client = client(silent.target(), EngineKind::LlamaCpp);
    assert_eq!(read(&client).await, Telemetry::default());
    assert_eq!(silent.asked(), ["/slots", "/metrics"]);
    assert_eq!(read(&client).await, Telemetry::default());
    assert!(silent.asked().is_empty(), "it has said no");
}

#[tokio::test]
async fn of_two_answers_one_is_enough_and_no_answer_is_an_error() {
    let engine = TableEngine::start(&[("/v1/loads", LOADS)]).await;
    engine.say("/metrics", 500, "{}");
    let client = client(engine.target(), EngineKind::Sglang);
    assert_eq!(read(&client).await.running, Some(3));
    engine.say("/v1/loads", 503, "{}");
    within(client.telemetry()).await.expect_err("both fail");
    engine.say("/metrics", 200, PAGE);
    assert_eq!(read(&client).await.running, Some(7));
}

#[tokio::test]
async fn trtllm_tells_in_text_or_in_json() {
    let page = "trtllm_num_requests_running 4\n";
    let list = r#"[{"iter":1,"numActiveRequests":2,"numQueuedRequests":1}]"#;
    for (route, said, running) in [
        ("/prometheus/metrics", page, 4),
        ("/metrics", list, 2),
        ("/metrics", page, 4),
    ] {
        let engine = TableEngine::start(&[(route, said)]).await;
        let reading = read(&client(engine.target(), EngineKind::TensorRtLlm)).await;
        assert_eq!(reading.running, Some(running), "{route}");
    }
}

#[tokio::test]
async fn readiness_is_asked_where_a_version_has_it() {
    let new = TableEngine::start(&[("/health", "")]).await;
    new.say("/ready", 503, "");
    let asked = client(new.target(), EngineKind::Sglang);
    within(asked.probe()).await.expect_err("not ready");
    assert_eq!(new.asked(), ["/ready"]);
    new.say("/ready", 200, "");
    within(asked.probe()).await.expect("ready");

    let old = TableEngine::start(&[("/health", "")]).await;
    let asked = client(old.target(), EngineKind::Sglang);
    for routes in [&["/ready", "/health"][..], &["/health"]] {
        within(asked.probe()).await.expect("well");
        assert_eq!(old.asked(), routes);
    }
    // It came back as something without either, and later as what it was.
    old.say("/health", 404, "");
    within(asked.probe()).await.expect_err("no such route");
    old.say("/ready", 200, "");
    within(asked.probe()).await.expect("found anew");
    assert_eq!(old.asked(), ["/health", "/ready"]);
}

#[tokio::test]
async fn llamacpp_is_not_well_while_it_loads() {
    let engine = TableEngine::start(&[]).await;
    let loading = r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#;
    engine.say("/health", 503, loading);
    let client = client(engine.target(), EngineKind::LlamaCpp);
    within(client.probe()).await.expect_err("it loads");
    engine.say("/health", 200, r#"{"status":"ok"}"#);
    within(client.probe()).await.expect("well");
    engine.say("/metrics", 501, r#"{"error":{"code":501}}"#);
    let reading = read(&client).await;
    assert_eq!(reading, Telemetry::default(), "switched off is no failure");
}

#[tokio::test]
async fn mindie_is_asked_on_its_management_address() {
    let status = r#"{"service":{},"resource":{"waitingRequestNum":2,"runningRequestNum":8,"swappedRequestNum":0,"freeNpuBlockNums":1,"totalNpuBlockNums":4}}"#;
    let models = r#"{"object":"list","data":[{"id":"m","owned_by":"MindIE Server"}]}"#;
    let routes = [
        ("/v2/health/ready", ""),
        ("/v2/status", status),
        ("/v1/models", models),
    ];
    let management = TableEngine::start(&routes).await;
    let business = TableEngine::start(&[]).await;
    let target = business.target().with_management(management.target());
    let client = client(target.clone(), EngineKind::Mindie);
    within(client.probe()).await.expect("well");
    let reading = read(&client).await;
    let told = (reading.running, reading.waiting, reading.kv_used);
    assert_eq!(told, (Some(8), Some(2), Some(0.75)));
    let found = gateway_router::detect(&target, None, Duration::from_secs(30));
    assert_eq!(within(found).await.expect("found").kind, EngineKind::Mindie);
    assert!(business.asked().is_empty());
}
